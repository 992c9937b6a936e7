"""Locks and artifacts for tests of plans: small, and as `prepare` and `build` would make them."""

from __future__ import annotations

import hashlib

from lockship.lock.fingerprint import build_key
from lockship.lock.image import Artifact, Image, LockedBuild, Made
from lockship.lock.model import Host, Lock, Service, Source
from lockship.lock.role import Deploy, Role
from lockship.lock.writer import sealed

HOSTS = ("web1", "web2")


def sha(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def make_lock(
    content: str = "one",
    *,
    roles: dict[str, Role] | None = None,
    retain: int = 2,
    hosts: tuple[str, ...] = HOSTS,
) -> Lock:
    commit = hashlib.sha1(content.encode()).hexdigest()  # noqa: S324 - a git object's id
    return sealed(
        Lock(
            lock_version=1,
            fingerprint=sha(""),
            service=Service(name="shop", version=commit[:12]),
            source=Source(
                commit=commit,
                tree=commit,
                subject=content,
                author="A <a@example.com>",
                committed_at="2026-01-01T00:00:00+00:00",
                dirty=False,
            ),
            build=LockedBuild(),
            image=Image(repository="shop", tag=commit[:12]),
            roles=roles or {"web": Role(hosts=hosts)},
            hosts={host: Host() for host in hosts},
            deploy=Deploy(retain=retain),
        )
    )


def make_artifact(lock: Lock) -> Artifact:
    return Artifact(key=build_key(lock), image_id=sha(lock.service.version))


def make_made(lock: Lock) -> Made:
    (made,) = make_artifact(lock).images
    return made
