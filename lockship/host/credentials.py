"""The registry credentials of whoever deploys, from their Docker configuration."""

from __future__ import annotations

import warnings

from lockship.errors import LockshipError
from lockship.host.types import RegistryAuth


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
    except DockerException as error:
        raise LockshipError(
            f"the credentials for {server} can't be read: {error}",
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
