"""What each change of a lockfile was: a new lock, an older one put back, a build recorded, ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lockship.audit.entry import Entry, Kind
from lockship.audit.history import History
from lockship.audit.recorded import with_records
from lockship.gitobjects import quoted
from lockship.history.record import Record, contradicts, record_of
from lockship.history.walk import LockChange
from lockship.lock.fingerprint import build_key
from lockship.lock.model import Lock
from lockship.lock.names import lockfile_name

_REGULAR: Final = 0o100000
_CANDIDATES: Final = 50

IsAncestor = Callable[[str, str], bool]


def entries(history: History, is_ancestor: IsAncestor) -> list[Entry]:
    """Return an entry for each change and each record, newest first.

    `is_ancestor` tells it of two commits.
    """
    seen: dict[tuple[bytes, str], list[str]] = {}  # path and fingerprint: commits, oldest first
    moves = _moves(history.changes)
    left = {(change.commit.id, path) for (change, path) in moves.values()}
    found: list[Entry] = []
    for change in reversed(history.changes):
        if (change.commit.id, change.path) in left:
            continue
        _, source = moves.get((change.commit.id, change.path), (change, None))
        found.append(_entry(history, change, source, seen, is_ancestor))
        lock = found[-1].lock
        if lock is not None:
            seen.setdefault((change.path, lock.fingerprint), []).append(change.commit.id)
    return with_records(found[::-1], history, is_ancestor)


def _moves(
    changes: tuple[LockChange, ...],
) -> dict[tuple[str, bytes], tuple[LockChange, bytes]]:
    """Return, by commit and new path, the change and the old path of files that only moved."""
    removed: dict[tuple[str, str], list[bytes]] = {}
    for change in changes:
        if change.blob is None and change.before is not None:
            removed.setdefault((change.commit.id, change.before), []).append(change.path)
    found = {}
    for change in changes:
        if change.before is None and change.blob is not None:
            sources = removed.get((change.commit.id, change.blob), [])
            if sources:
                found[change.commit.id, change.path] = (change, sources.pop())
    return found


def _entry(
    history: History,
    change: LockChange,
    source: bytes | None,
    seen: dict[tuple[bytes, str], list[str]],
    is_ancestor: IsAncestor,
) -> Entry:
    lock, problem = _read(history, change)
    was = history.reading(change.blob if source is not None else change.before).lock
    returns_to = same_as = None
    kind: Kind
    if change.blob is None:
        kind = "removed"
    elif lock is None:
        kind = "unreadable"
    elif source is not None:
        kind = "moved"
    elif was is not None and was.fingerprint == lock.fingerprint:
        kind = "built" if was.artifact != lock.artifact else "rewritten"
    else:
        older = seen.get((change.path, lock.fingerprint), [])[::-1]
        near = older[:_CANDIDATES]
        returns_to = next((oid for oid in near if is_ancestor(oid, change.commit.id)), None)
        same_as = older[0] if older and returns_to is None else None
        kind = "rollback" if returns_to else "locked"
    record = record_of(change.commit.trailers)
    return Entry(
        commit=change.commit,
        file=change.path,
        path=quoted(change.path),
        kind=kind,
        lock=lock,
        was=was,
        mode=change.mode,
        blob=change.blob,
        before=change.before,
        signed=change.commit.id in history.signed,
        moved_from=quoted(source) if source is not None else None,
        returns_to=returns_to,
        same_as=same_as,
        own=record if lock is not None else None,
        problems=tuple(_problems(change, lock, problem, record)),
    )


def _read(history: History, change: LockChange) -> tuple[Lock | None, str]:
    if change.blob is None or change.mode is None:
        return None, ""
    if change.mode & 0o170000 != _REGULAR:
        return None, "it is not a regular file"
    reading = history.reading(change.blob)
    return reading.lock, reading.problem


def _problems(
    change: LockChange, lock: Lock | None, problem: str, record: Record | None
) -> list[str]:
    if lock is None:
        return [f"unreadable: {problem}"] if problem else []
    found = []
    name = change.path.rpartition(b"/")[2].decode()
    if name != lockfile_name(lock.service.destination):
        owner = lock.service.destination or "the default destination"
        found.append(f"{name} holds the lock of {owner}")
    if lock.artifact is not None and lock.artifact.key != build_key(lock):
        found.append("the artifact is another lock's")
    if record is not None and contradicts(record, lock):
        found.append("the commit's message records another lock")
    return found
