"""Put configuration, source and pins together: one sealed lock. A pure function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from lockship.lock import hooks, needs
from lockship.lock.fingerprint import build_key, sealed
from lockship.lock.image import Build, Image, LockedBuild
from lockship.lock.model import LOCK_VERSION, Host, Lock, Service, Source
from lockship.lock.proxy import Proxy
from lockship.prepare.config import Config
from lockship.prepare.hosts import parse as parse_host
from lockship.prepare.imagepins import with_pins

_UNSEALED = "sha256:" + "0" * 64


def compose(
    *,
    config: Config,
    source: Source,
    version: str,
    destination: str | None,
    hosts: Mapping[str, Host],
    before: Lock | None,
    bases: Iterable[str] = (),
    platforms: Mapping[str, dict[str, str]] = MappingProxyType({}),
    images: Mapping[str, str] = MappingProxyType({}),
    files: Mapping[str, str] = MappingProxyType({}),
    scripts: Mapping[str, str] = MappingProxyType({}),
) -> Lock:
    """Return the lock. It keeps the artifact of `before` while the image would be the same.

    `images` are pins by name, `bases` the names that the Dockerfile uses, `platforms` what each of
    them is for each platform; `files` is what was found
    of the accessories' files; `scripts` are the deploy hooks, name to blob.
    """
    lock = Lock(
        lock_version=LOCK_VERSION,
        fingerprint=_UNSEALED,
        service=Service(name=config.service.name, version=version, destination=destination),
        source=source,
        build=_for_lock(config.build),
        image=Image(
            repository=config.image.repository or config.service.name,
            tag=version,
            digest=config.image.digest,
        ),
        roles={name: role.for_lock(_for_roles(config)) for name, role in config.roles.items()},
        hosts=dict(hosts),
        env=config.env,
        tags=config.tags,
        secrets=config.secrets,
        healthcheck=config.healthcheck,
        deploy=config.deploy,
        proxy=_with_https(config.proxy),
        accessories={
            name: each.for_lock(_hosts_of(config, each.role), files)
            for name, each in config.accessories.items()
        },
        hooks=hooks.locked(scripts, config.hooks.timeout),
        registry=config.registry,
        mirrors=config.mirrors,
        policy=config.policy,
    )
    lock = with_pins(lock, bases, images)
    build = msgspec.structs.replace(lock.build, base_platforms=dict(platforms))
    lock = msgspec.structs.replace(lock, build=build)
    artifact = before.artifact if before else None
    if artifact is not None and artifact.key != build_key(lock):
        artifact = None
    return sealed(msgspec.structs.replace(lock, artifact=artifact))


def _hosts_of(config: Config, role: str | None) -> tuple[str, ...]:
    return config.roles[role].hosts if role else ()


def _for_roles(config: Config) -> list[str]:
    """Return the secrets of a role that names none: all but those of others.

    The build, the registry, the proxy and accessories have theirs.
    """
    beside = config.accessories.values()
    others = set(needs.of_others(config.build, config.registry, config.proxy, beside))
    return [name for name in config.secrets if name not in others]


def _for_lock(build: Build) -> LockedBuild:
    """Return the table without what says no: in a lock, absent and false are the same here."""
    said = msgspec.structs.asdict(build)
    said |= {key: said[key] or None for key in ("ssh", "provenance", "sbom")}
    said["host"] = parse_host(build.host).name if build.host else None
    return LockedBuild(**said)


def _with_https(proxy: Proxy | None) -> Proxy | None:
    """Return the proxy with its port for TLS, where it serves that."""
    if proxy is None or proxy.tls is None or proxy.server.https_port is not None:
        return proxy
    server = msgspec.structs.replace(proxy.server, https_port=443)
    return msgspec.structs.replace(proxy, server=server)
