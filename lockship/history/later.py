"""Commits whose messages record how a deploy ended, whether or not they change a lockfile.

A deploy of a lock that HEAD has already is recorded by a commit that changes no file, and so is a
rollback that failed. The walk over lockfiles doesn't meet these: git looks through all messages for
them, in a process of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Final

from lockship.git import Repository, failure
from lockship.history.record import PREFIX, Record, record_of
from lockship.history.walk import FIELDS, LockCommit, commit_of

_LOG: Final = (
    *("log", "-z", "--no-color", "--no-notes", "--no-mailmap", "--no-show-signature"),
    *("--date-order", "--date=raw", "--encoding=UTF-8", f"--format={'%x00'.join(FIELDS)}"),
    *("--fixed-strings", f"--grep={PREFIX}Fingerprint: ", "--stdin"),
)


class Search:
    """Git's search for records, under way since it was made; `found` waits for its end."""

    def __init__(
        self, repository: Repository, asked: IO[bytes], out: IO[bytes], said: IO[bytes]
    ) -> None:
        self._out, self._said = out, said
        # Of no revisions git would look at HEAD's.
        words = _LOG if asked.tell() else ("version",)
        asked.seek(0)
        self.process = repository.start(*words, stdin=asked, stdout=out, stderr=said)

    def found(self) -> tuple[LockCommit, ...]:
        """Return the commits, newest first. Raises LockshipError where git fails."""
        status = self.process.wait()
        for file in (self._out, self._said):
            file.seek(0)
        if status:
            raise failure(("log",), status, self._said.read())
        values = self._out.read().split(b"\0")
        width = len(FIELDS)
        rows = (values[at : at + width] for at in range(0, len(values) - width + 1, width))
        commits = (commit_of([row[0].lstrip(b"\n"), *row[1:]]) for row in rows)
        return tuple(each for each in commits if _records(each))


def _records(commit: LockCommit) -> bool:
    record = record_of(commit.trailers)
    return record is not None and record.fingerprint is not None


@contextmanager
def searching(repository: Repository, revisions: Iterable[str]) -> Iterator[Search]:
    """Start the search in what `revisions` reach: ids of commits, or `^` and one to leave out."""
    with (
        tempfile.TemporaryFile() as asked,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as said,
    ):
        asked.write("".join(f"{revision}\n" for revision in revisions).encode())
        search = Search(repository, asked, out, said)
        try:
            yield search
        finally:
            if search.process.poll() is None:
                search.process.kill()
                search.process.wait()


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
    with searching(repository, revisions) as search:
        for each in search.found():
            record = record_of(each.trailers)
            if record is not None and record.fingerprint == lock:
                return record
    return None
