"""The mutex of every host of a service, seen and broken: `lockship mutex`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from lockship.deploy import names
from lockship.deploy.fleet import connected, each, every_host
from lockship.deploy.holder import Holder, Outcome, end, holder
from lockship.deploy.status import Unreachable
from lockship.errors import LockshipError
from lockship.lock.model import Lock
from lockship.progress import Report, quiet


class Row(Struct, frozen=True):
    """One host's mutex. `heartbeat` is how many seconds ago the last one was."""

    host: str
    state: Literal["free", "held"]
    performer: str = ""
    since: str = ""
    version: str = ""
    heartbeat: int | None = None


class Mutexes(Struct, frozen=True):
    """All hosts' mutexes. `held` are those to break, as they were seen."""

    service: str
    rows: tuple[Row, ...]
    unreachable: tuple[Unreachable, ...]
    held: Mapping[str, Holder]


def look(lock: Lock, *, host: str | None = None, report: Report = quiet) -> Mutexes:
    """Ask every host, or one, who holds its mutex. One that can't be read is listed, not raised."""
    with connected(lock, every_host(lock, host), report) as opened:
        seen = each(
            opened.done,
            lambda name: holder(opened.done[name], names.mutex_path(lock)),
            parallel=lock.deploy.parallel,
        )
        failed: dict[str, LockshipError] = {**opened.failed, **seen.failed}
    return Mutexes(
        service=lock.project,
        rows=tuple(_row(name, found) for name, found in seen.done.items()),
        unreachable=tuple(Unreachable(h, e.message, e.hint) for h, e in failed.items()),
        held={name: found for name, found in seen.done.items() if found is not None},
    )


def end_all(
    lock: Lock, held: Mapping[str, Holder], *, report: Report = quiet
) -> Mapping[str, Outcome]:
    """Break these mutexes, each only while the same holder has it; return what came of each.

    The holder notices at its next heartbeat or step, whichever comes first, and does no other step.
    Raises LockshipError where one can't be reached or broken.
    """
    path = names.mutex_path(lock)
    with connected(lock, held, report) as opened:
        ended = each(
            opened.done,
            lambda name: end(opened.done[name], path, held[name].info),
            parallel=lock.deploy.parallel,
        )
        opened.values_or_raise("Not every mutex was broken: not every host can be reached.")
        ended.values_or_raise("Not every mutex was broken.")
        return ended.done


def _row(host: str, found: Holder | None) -> Row:
    if found is None:
        return Row(host, "free")
    said = found.said
    return Row(host, "held", said.performer, said.since, said.version, found.silent)
