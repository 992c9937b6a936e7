"""Commits that record a deploy and change no lockfile: of which lock, and where in history's order.

A deploy of the lock that is in force is recorded so, and a rollback that was tried and taken back,
whose lock isn't in the commit's tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from lockship.git import Objects
from lockship.gitobjects import commit as parse_commit
from lockship.gitobjects import find_entry
from lockship.history.record import Record, record_of
from lockship.history.walk import LockChange, LockCommit


class Later(Struct, frozen=True):
    """A commit whose message records a deploy, and which changes no lockfile.

    `path` and `blob` are the lockfile with the recorded lock in the commit's tree; None where it
    has none.
    """

    commit: LockCommit
    path: bytes | None = None
    blob: str | None = None

    @property
    def record(self) -> Record:
        """What the message says."""
        return record_of(self.commit.trailers) or Record()


def placed(
    objects: Objects,
    commits: Iterable[LockCommit],
    changes: Iterable[LockChange],
    fingerprint: Callable[[str], str | None],
) -> tuple[Later, ...]:
    """Return the records with the lockfiles that they are about.

    `changes` are all of the lockfiles' that are looked at; `fingerprint` tells that of the lock in
    a blob, None where there is none.
    """
    paths: dict[str, dict[bytes, None]] = {}
    for change in changes:
        for blob in (change.blob, change.before):
            name = fingerprint(blob) if blob else None
            if name:
                paths.setdefault(name, {})[change.path] = None
    return tuple(_placed(objects, each, paths, fingerprint) for each in commits)


def _placed(
    objects: Objects,
    commit: LockCommit,
    paths: Mapping[str, Iterable[bytes]],
    fingerprint: Callable[[str], str | None],
) -> Later:
    record = record_of(commit.trailers)
    lock = record.fingerprint if record else None
    asked = paths.get(lock, ()) if lock else ()
    tree = parse_commit(commit.id, objects.read(commit.id)).tree if asked else ""
    for path in asked:
        there = find_entry(objects.read, tree, path)
        if there is not None and fingerprint(there.id) == lock:
            return Later(commit, path, there.id)
    return Later(commit)
