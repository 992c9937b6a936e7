"""Put configuration, source and pins together: one sealed lock. A pure function."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from lockship.lock.fingerprint import build_key, sealed
from lockship.lock.model import LOCK_VERSION, Host, Image, Lock, Service, Source
from lockship.prepare.config import Config

_UNSEALED = "sha256:" + "0" * 64


def compose(
    *,
    config: Config,
    source: Source,
    version: str,
    destination: str | None,
    hosts: Mapping[str, Host],
    before: Lock | None,
) -> Lock:
    """Return the lock. It keeps the artifact of `before` while the image would be the same."""
    lock = Lock(
        lock_version=LOCK_VERSION,
        fingerprint=_UNSEALED,
        service=Service(name=config.service.name, version=version, destination=destination),
        source=source,
        build=config.build,
        image=Image(repository=config.image.repository or config.service.name, tag=version),
        roles={name: role.for_lock(config.secrets) for name, role in config.roles.items()},
        hosts=dict(hosts),
        env=config.env,
        secrets=config.secrets,
        healthcheck=config.healthcheck,
        deploy=config.deploy,
        proxy=config.proxy,
    )
    artifact = before.artifact if before else None
    if artifact is not None and artifact.key != build_key(lock):
        artifact = None
    return sealed(msgspec.structs.replace(lock, artifact=artifact))
