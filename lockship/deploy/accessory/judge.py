"""A host's accessories against the lock. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from lockship.deploy.accessory.labels import (
    ACCESSORY,
    IMAGE,
    SETTINGS,
    container_name,
    is_ours,
)
from lockship.deploy.accessory.observe import on_host
from lockship.deploy.state import Accessories, HostState
from lockship.host.types import Container
from lockship.lock.accessory import settings_key
from lockship.lock.model import Lock

Verdict = Literal[
    "as locked",
    "missing",
    "stopped",
    "unhealthy",
    "another image",
    "another configuration",
    "not lockship's",
    "not locked",
]


class Row(Struct, frozen=True, rename="kebab"):
    """One accessory on one host; `image` is what its container was made from, as a lock says it."""

    host: str
    accessory: str
    container: str
    image: str
    state: str
    health: str
    verdict: Verdict


def rows(lock: Lock, state: HostState) -> list[Row]:
    """Return a row for each accessory that a host should have, and each that it has."""
    here = {each.name: each for each in state.accessories.containers}
    found = []
    for name, table in on_host(lock, state.host).items():
        wanted = container_name(lock.project, name)
        container = here.pop(wanted, None)
        if container is None:
            found.append(Row(state.host, name, wanted, table.image, "absent", "", "missing"))
        else:
            found.append(
                _row(state.host, name, container, verdict(lock, name, container, state.accessories))
            )
    others = [each for each in here.values() if is_ours(each, lock)]
    return found + [
        _row(state.host, each.labels.get(ACCESSORY, ""), each, "not locked") for each in others
    ]


def verdict(lock: Lock, name: str, found: Container, seen: Accessories) -> Verdict:
    """Return what is to be said of a container that has a locked accessory's name."""
    table = lock.accessories[name]
    if not is_ours(found, lock):
        return "not lockship's"
    there = seen.images.get(table.image)
    if found.labels.get(IMAGE) != table.image or there not in (None, found.image_id):
        return "another image"
    if found.labels.get(SETTINGS) != settings_key(table):
        return "another configuration"
    if found.state == "restarting" or found.health == "unhealthy":
        return "unhealthy"
    return "as locked" if found.state == "running" else "stopped"


def as_locked(lock: Lock, name: str, found: Container, seen: Accessories) -> bool:
    """Whether a container was made from what the lock says of the accessory."""
    return verdict(lock, name, found, seen) in ("as locked", "stopped", "unhealthy")


def notes(lock: Lock, state: HostState) -> Iterator[str]:
    """Yield what a deploy says of accessories that it leaves as they are, and what to type."""
    for row in rows(lock, state):
        if row.verdict in ("missing", "stopped"):
            how = "isn't there" if row.verdict == "missing" else f"is {row.state}"
            yield f"accessory {row.accessory} {how}: `lockship accessory boot {row.accessory}`"
        elif row.verdict == "not locked":
            gone = f"`lockship accessory remove {row.accessory}`"
            yield f"accessory {row.accessory} isn't in the lock: {gone}"
        elif row.verdict == "unhealthy":
            how = "unhealthy" if row.health == "unhealthy" else row.state
            yield f"accessory {row.accessory} is {how}: `lockship accessory logs {row.accessory}`"
        elif row.verdict == "not lockship's":
            yield f"the container {row.container} isn't the accessory {row.accessory}: remove it"
    yield from differences(lock, state, tuple(lock.accessories))


def differences(lock: Lock, state: HostState, chosen: Sequence[str]) -> Iterator[str]:
    """Yield what is to be said of accessories that are there and aren't what is locked."""
    for row in rows(lock, state):
        if row.accessory in chosen and row.verdict in ("another image", "another configuration"):
            again = f"`lockship accessory reboot {row.accessory}`"
            yield f"accessory {row.accessory} differs from the lock ({row.verdict}): {again}"


def _row(host: str, name: str, found: Container, said: Verdict) -> Row:
    image, health = found.labels.get(IMAGE, ""), found.health or ""
    return Row(host, name, found.name, image, found.state, health, said)
