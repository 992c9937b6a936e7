"""Lockfile states as the report shows them: outcome, end, what the journals say of each. Pure."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from lockship.audit.entry import Entry
from lockship.audit.finding import Finding
from lockship.audit.report.acts import seconds
from lockship.audit.report.model import Act, Source, State, Until
from lockship.audit.rows import Row
from lockship.history.record import Record
from lockship.lock.diff import differences
from lockship.lock.model import Lock

UNRECORDED = "unrecorded"
DEPLOYS = ("deploy", "rollback")


@dataclass(frozen=True)
class Told:
    """One entry with what else is known: its row, when it was deployed, and whether it was.

    `is_deploy` is false of an entry that put no lock in force, or whose deploy another one tells.
    """

    entry: Entry
    row: Row
    at: int
    is_deploy: bool


def told(found: Sequence[Entry], rows: Sequence[Row]) -> list[Told]:
    """Say of each entry (newest first, as `found`) whether it is a deploy, and of when.

    A deploy is a lock that came into force: a new one, or an older one that was put back; once,
    where several branches have it; and each record of another deploy of it. Where nothing was
    recorded with a lock and a later commit does (the lock was committed first, and deployed then)
    that one is the deploy.
    """
    result: list[Told] = []
    last: dict[bytes, int] = {}  # by path: the place in `result` of the state that is the deploy
    for entry, row in zip(reversed(found), reversed(rows), strict=True):
        came = entry.kind in ("locked", "rollback")
        recorded = entry.lock is not None and entry.own is not None
        place = last.get(entry.file)
        if recorded and not came and place is not None and _only_locked(result[place], entry):
            result[place] = dataclasses.replace(result[place], is_deploy=False)
        is_deploy = entry.same_as is None and (came or recorded)
        if is_deploy and entry.kind != "attempted":
            last[entry.file] = len(result)
        result.append(Told(entry, row, moment(entry, entry.own)[0], is_deploy))
    return result[::-1]


def _only_locked(before: Told, entry: Entry) -> bool:
    """Tell whether the state before is the same lock, and says nothing of a deploy."""
    lock, same = entry.lock, before.entry.lock
    unrecorded = before.entry.own is None
    return unrecorded and bool(lock and same and same.fingerprint == lock.fingerprint)


def moment(entry: Entry, record: Record | None) -> tuple[int, str]:
    """Return when a deploy ended as its record says, else when its lock was committed.

    In seconds since 1970, and by RFC 3339.
    """
    if record is not None and record.deployed_at is not None:
        try:
            return seconds(record.deployed_at), record.deployed_at
        except (ValueError, OverflowError):
            pass
    return entry.commit.committer.seconds, entry.commit.committer.at


def outcome(each: Told, acts: Iterable[Act]) -> str | None:
    """Return what came of a state: what the journals say last, else what its record says."""
    said = [act.outcome for act in acts if act.command in DEPLOYS]
    if said:
        return said[-1]
    if not each.is_deploy:
        return None
    return (each.entry.own.outcome if each.entry.own else None) or UNRECORDED


def attached(acts: Iterable[Act], states: Sequence[Told], ids: Sequence[str]) -> list[Act]:
    """Return the acts with the id of the state of the same lock that is nearest in time.

    Deploys are nearest to those states that are deploys, where there are any.
    """
    by_lock: dict[tuple[str, str], list[tuple[Told, str]]] = {}
    for each, name in zip(states, ids, strict=True):
        lock = each.entry.lock
        if lock is not None:
            by_lock.setdefault((lock.project, lock.fingerprint), []).append((each, name))
    result = []
    for act in acts:
        here = by_lock.get((act.project, act.fingerprint), [])
        near = [pair for pair in here if pair[0].is_deploy] or here
        best = min(near, key=lambda pair: abs(pair[0].at - act.seconds), default=None)
        result.append(replace(act, state=best[1]) if best else act)
    return result


def identities(found: Iterable[Entry]) -> list[str]:
    """Return an id for each entry; the same ones whatever part of the history is shown."""
    seen: Counter[str] = Counter()
    names = []
    for entry in found:
        short = entry.commit.id[:12]
        seen[short] += 1
        names.append(f"d-{short}" if seen[short] == 1 else f"d-{short}-{seen[short]}")
    return names


def state(
    each: Told,
    name: str,
    *,
    until: Entry | None,
    acts: Sequence[Act],
    findings: Mapping[tuple[str, str], list[Finding]],
) -> State:
    """Put together what is said of one state."""
    entry = each.entry
    lock, was = entry.lock, entry.was
    return State(
        id=name,
        seconds=each.at,
        row=each.row,
        outcome=outcome(each, acts),
        source=_source(lock) if lock else None,
        until=_until(until) if until else None,
        before=was.service.version if was and lock else None,
        differences=differences(was, lock) if was and lock else (),
        acts=tuple(acts),
        findings=tuple(findings.get((entry.commit.id, entry.path), ())),
    )


def _source(lock: Lock) -> Source:
    return Source(
        tree=lock.source.tree,
        snapshot=lock.source.snapshot,
        changes=lock.source.changes,
        reference=lock.image.reference,
        roles=tuple((name, role.hosts) for name, role in lock.roles.items()),
    )


def _until(later: Entry) -> Until:
    version = later.lock.service.version if later.lock else None
    return Until(later.commit.committer.at, later.commit.id, version)
