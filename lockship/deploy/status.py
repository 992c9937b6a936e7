"""What runs where, against the lock."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

from msgspec import Struct

from lockship.deploy import names
from lockship.deploy.accessory import judge as accessory
from lockship.deploy.fleet import connected, each, every_host
from lockship.deploy.goals import RUNNING, goal_names
from lockship.deploy.observe import observe
from lockship.deploy.platform import image_on
from lockship.deploy.proxy.judge import RouteRow, judge
from lockship.deploy.state import HostState
from lockship.errors import LockshipError
from lockship.host.types import Container
from lockship.lock.model import Lock
from lockship.progress import Report, quiet

Verdict = Literal[
    "as locked", "missing", "stopped", "unhealthy", "another version", "another image", "unexpected"
]


class Row(Struct, frozen=True, rename="kebab"):
    """One container that is there, or that should be."""

    host: str
    role: str
    container: str
    version: str
    fingerprint: str
    state: str
    health: str
    verdict: Verdict


class Unreachable(Struct, frozen=True):
    """A host of which nothing is known, and why."""

    host: str
    message: str
    hint: str


class Status(Struct, frozen=True, rename="kebab"):
    """The fleet against the lock. `matches`: every host could be read and is as locked.

    `routes` has a row for each host with a proxy in front of the service; empty without one.
    `accessories` has one for each that a host has or should have.
    A maintenance page that is on is no difference: it's in front of what is locked.
    """

    service: str
    version: str
    fingerprint: str
    matches: bool
    rows: tuple[Row, ...]
    routes: tuple[RouteRow, ...] = ()
    accessories: tuple[accessory.Row, ...] = ()
    unreachable: tuple[Unreachable, ...] = ()


def status(lock: Lock, *, report: Report = quiet) -> Status:
    """Observe every host of the lock. A host that can't be read is listed, not raised."""
    with connected(lock, every_host(lock), report) as opened:
        seen = each(
            opened.done, lambda name: observe(opened.done[name], lock), parallel=len(opened.done)
        )
        failed: dict[str, LockshipError] = {**opened.failed, **seen.failed}
    rows = tuple(row for state in seen.done.values() for row in compare(lock, state))
    judged = [judge(lock, state) for state in seen.done.values()]
    routes = tuple(each_one for each_one in judged if each_one is not None)
    beside = tuple(row for state in seen.done.values() for row in accessory.rows(lock, state))
    return Status(
        service=lock.project,
        version=lock.service.version,
        fingerprint=lock.fingerprint,
        matches=not failed and {"as locked"} >= _verdicts(rows, routes, beside),
        rows=rows,
        routes=routes,
        accessories=beside,
        unreachable=tuple(Unreachable(h, e.message, e.hint) for h, e in failed.items()),
    )


def _verdicts(
    rows: Iterable[Row], routes: Iterable[RouteRow], beside: Iterable[accessory.Row]
) -> set[str]:
    found: set[str] = {row.verdict for row in rows} | {row.verdict for row in routes}
    return found | {row.verdict for row in beside}


def compare(lock: Lock, state: HostState) -> list[Row]:
    """Return a row for each role that should run on a host and for each container that does."""
    image_id = image_on(lock, state)
    goals = goal_names(lock, image_id, state)
    here = {container.name: container for container in state.containers}
    rows = [
        _goal_row(lock, state.host, role, name, here.get(name), image_id)
        for name, role in goals.items()
    ]
    others = [c for c in state.containers if c.name not in goals and c.state in RUNNING]
    return rows + [_other_row(lock, state.host, other, goals.values()) for other in others]


def _other_row(lock: Lock, host: str, container: Container, roles: Collection[str]) -> Row:
    role = container.labels.get(names.ROLE, "")
    same_lock = container.labels.get(names.FINGERPRINT) == lock.fingerprint
    verdict: Verdict = "another image" if same_lock else "another version"
    return _row(host, role, container, verdict if role in roles else "unexpected")


def _goal_row(
    lock: Lock, host: str, role: str, name: str, found: Container | None, image_id: str | None
) -> Row:
    if found is None:
        version, fingerprint = lock.service.version, lock.fingerprint
        return Row(host, role, name, version, fingerprint, "absent", "", "missing")
    other_image = image_id is not None and found.image_id != image_id
    if other_image or found.labels.get(names.FINGERPRINT) != lock.fingerprint:
        return _row(host, role, found, "another image")
    if found.state != "running":
        return _row(host, role, found, "stopped")
    return _row(host, role, found, "unhealthy" if found.health == "unhealthy" else "as locked")


def _row(host: str, role: str, container: Container, verdict: Verdict) -> Row:
    return Row(
        host=host,
        role=role,
        container=container.name,
        version=container.labels.get(names.VERSION, ""),
        fingerprint=container.labels.get(names.FINGERPRINT, ""),
        state=container.state,
        health=container.health or "",
        verdict=verdict,
    )
