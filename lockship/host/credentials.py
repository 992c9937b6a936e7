"""The credentials for a registry: the lock's own account, else whoever deploys's `docker login`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Final

from lockship.errors import LockshipError
from lockship.host.types import RegistryAuth
from lockship.lock.model import Lock
from lockship.lock.reference import HUB
from lockship.lock.registry import Registry
from lockship.secrets.secret import Secret

_HUBS: Final = (
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "https://index.docker.io/v1/",
)


def lock_auth(lock: Lock, secrets: Mapping[str, Secret]) -> RegistryAuth | None:
    """Return the credentials for the registry of the lock's image.

    `secrets` hold the password of `[registry]`, where the lock has that. Raises as `registry_auth`.
    """
    return auth_at(lock.image.registry, lock, secrets)


def auth_at(registry: str | None, lock: Lock, secrets: Mapping[str, Secret]) -> RegistryAuth | None:
    """Return the credentials for any registry (None: Docker Hub): the lock's account, if there."""
    return auth_of(registry, account(lock, secrets))


def auth_of(registry: str | None, own: RegistryAuth | None) -> RegistryAuth | None:
    """Return `own`, that of `[registry]`, where it is this registry's; else `docker login`'s."""
    if own is not None and is_same(own.server, registry):
        return own
    return registry_auth(registry)


def is_same(one: str | None, other: str | None) -> bool:
    """Tell whether two names are those of one registry: Docker Hub has several, and None."""
    return _known(one) == _known(other)


def _known(registry: str | None) -> str:
    return HUB if registry is None or registry in _HUBS else registry


def account(lock: Lock, secrets: Mapping[str, Secret]) -> RegistryAuth | None:
    """Return the account of `[registry]`; None where the lock has none."""
    return account_of(lock.registry, lock.image.registry, secrets)


def account_of(
    own: Registry | None, registry: str | None, secrets: Mapping[str, Secret]
) -> RegistryAuth | None:
    """Return the account that a table of `[registry]` says; `registry` is that of the image."""
    server = own.server or registry if own else None
    if own is None or server is None:
        return None
    if own.password not in secrets:
        raise LockshipError(f"The registry's secret {own.password} wasn't looked up.")
    password = secrets[own.password].reveal()
    return RegistryAuth(server=server, username=own.username, password=password)


def registry_auth(registry: str | None) -> RegistryAuth | None:
    """Return the credentials for a registry (None: Docker Hub), as `docker login` left them.

    They come from `$DOCKER_CONFIG/config.json`, with its credential helpers; None when there are
    none. Raises LockshipError when the configuration or a helper is broken.
    """
    from docker.auth import INDEX_NAME, load_config
    from docker.errors import DockerException

    server = registry or INDEX_NAME
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the SDK warns of, it then raises
            found = load_config().resolve_authconfig(server)
    except (DockerException, ValueError, TypeError, AttributeError, KeyError) as error:
        # What isn't as docker writes it fails somewhere in the SDK, in words that say nothing.
        why = error if isinstance(error, DockerException) else "config.json isn't as docker's"
        raise LockshipError(
            f"the credentials for {server} can't be read: {why}",
            hint=f"log in again: docker login {registry or ''}".rstrip(),
        ) from error
    if not found:
        return None
    address = str(found.get("serveraddress") or found.get("ServerAddress") or server)
    token = found.get("identitytoken") or found.get("IdentityToken")
    if token:
        return RegistryAuth(server=address, identity_token=str(token))
    return RegistryAuth(
        server=address,
        username=str(found.get("username") or found.get("Username") or ""),
        password=str(found.get("password") or found.get("Password") or ""),
    )
