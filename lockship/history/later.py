"""Commits that only record how a deploy ended, and change no file.

There is one where a deploy of a lock failed and was recorded so, and a later one of the same lock
ended well. The walk over lockfiles doesn't meet them; they are looked for where a failed one was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lockship.git import Repository
from lockship.history.record import PREFIX, Record, record_of
from lockship.history.walk import FIELDS, LockCommit, commit_of

_LOG: Final = (
    *("log", "-z", "--no-color", "--no-notes", "--no-mailmap", "--no-show-signature"),
    *("--date-order", "--date=raw", "--encoding=UTF-8", f"--format={'%x00'.join(FIELDS)}"),
)
_GREP: Final = ("--fixed-strings", f"--grep={PREFIX}Fingerprint: ")


def recording(repository: Repository, revisions: Iterable[str]) -> tuple[LockCommit, ...]:
    """Return the commits that `revisions` reach and whose message records a deploy, newest first.

    A revision is a commit's id, or `^` and one for what is left out.
    """
    asked = "".join(f"{revision}\n" for revision in revisions).encode()
    values = repository.run(*_LOG, *_GREP, "--stdin", stdin=asked).split(b"\0")
    width = len(FIELDS)
    rows = (values[at : at + width] for at in range(0, len(values) - width + 1, width))
    found = (commit_of([row[0].lstrip(b"\n"), *row[1:]]) for row in rows)
    return tuple(each for each in found if record_of(each.trailers) is not None)


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
    for each in recording(repository, revisions):
        record = record_of(each.trailers)
        if record is not None and record.fingerprint == lock:
            return record
    return None
