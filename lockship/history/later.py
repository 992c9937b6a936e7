"""Commits whose messages record how a deploy ended, whether or not they change a lockfile.

A deploy of a lock that HEAD has already is recorded by a commit that changes no file, and so is a
rollback that failed. A walk over lockfiles doesn't meet these; `survey` looks through all messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lockship.git import Repository
from lockship.history.record import PREFIX, Record, record_of
from lockship.history.walk import FIELDS, LockCommit, commit_of

_LOG: Final = (
    *("log", "-z", "--no-color", "--no-notes", "--no-mailmap", "--no-show-signature", "--stdin"),
    *("--date=raw", "--encoding=UTF-8", f"--format={'%x00'.join(FIELDS)}"),
)
_NAMED: Final = ("--no-walk=unsorted",)
_GREP: Final = ("--date-order", "--fixed-strings", f"--grep={PREFIX}Fingerprint: ")


def records_among(repository: Repository, commits: Sequence[str]) -> tuple[LockCommit, ...]:
    """Return those of the commits whose messages end with a record, in their order."""
    return _found(repository, _NAMED, commits) if commits else ()


def _found(
    repository: Repository, which: Sequence[str], asked: Sequence[str]
) -> tuple[LockCommit, ...]:
    stdin = "".join(f"{revision}\n" for revision in asked).encode()
    values = repository.run(*_LOG, *which, stdin=stdin).split(b"\0")
    width = len(FIELDS)
    rows = (values[at : at + width] for at in range(0, len(values) - width + 1, width))
    commits = (commit_of([row[0].lstrip(b"\n"), *row[1:]]) for row in rows)
    return tuple(each for each in commits if _records(each))


def _records(commit: LockCommit) -> bool:
    record = record_of(commit.trailers)
    return record is not None and record.fingerprint is not None


def last_record(repository: Repository, commit: str, path: bytes, lock: str) -> Record | None:
    """Return what git says last of how the lock at `path` was deployed; None where it says nothing.

    `lock` is the fingerprint of the one that is there at `commit`.
    """
    words = ("log", "-1", "--format=%H", commit, "--", b":(top,literal)" + path)
    changed = repository.run(*words).decode().strip()
    if not changed:
        return None
    with repository.objects() as objects:
        first = not objects.read(changed).partition(b"\n\n")[0].count(b"\nparent ")
    revisions = [commit] if first else [commit, f"^{changed}^@"]
    for each in _found(repository, _GREP, revisions):
        record = record_of(each.trailers)
        if record is not None and record.fingerprint == lock:
            return record
    return None
