"""Every change of a lockfile in a part of history, streamed from one `git log`.

What counts as a change, commit by commit and path by path:

- An ordinary commit: what it changes against its parent; a first commit against nothing.
- A merge: only what differs from *all* of its parents. A merge that takes a lock from one side made
  no new state: the commit on that side did. Both sides are followed to their ends, also the one
  whose lock was not taken (git's own simplification would leave that one out).
- A renamed lockfile: the old path removed and the new one added, in one commit.
- At the edge of a shallow clone git can't tell what a commit changed, so that every lockfile there
  looks added: such a commit is marked (`edge`).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Final

from msgspec import Struct

from lockship.git import Repository, failure
from lockship.gitobjects import rfc3339
from lockship.lock.names import is_lockfile_name

EVERYWHERE: Final = None  # the folders to look at: all that ever were
ROOT: Final = (b"",)

_TRAILERS: Final = "%(trailers:only=true,unfold=true,separator=%x0A)"
# What is read of each commit, in git-log(1)'s words; `commit_of` reads the values.
FIELDS: Final = ("%H", "%P", "%an", "%ae", "%ad", "%cn", "%ce", "%cd", "%s", _TRAILERS)
# Nothing in a person's configuration (log.*, diff.*, color.*) may change what is read here.
_LOG: Final[tuple[str, ...]] = (
    *("-c", "log.follow=false", "-c", "diff.orderFile=/dev/null", "log", "-z", "--raw"),
    *("--no-abbrev", "--no-renames", "--no-color", "--no-notes", "--no-relative", "--no-mailmap"),
    *("--no-show-signature", "--ignore-submodules=none", "--root", "--full-history"),
    *("--diff-merges=combined", "--date-order", "--date=raw", "--encoding=UTF-8"),
    *(f"--format={'%x00'.join(FIELDS)}", "--stdin"),
)
_READ: Final = 1 << 16


class Person(Struct, frozen=True):
    """An author or a committer, as the commit says. `date` is git's own: seconds and time zone."""

    name: str
    email: str
    date: str

    @property
    def at(self) -> str:
        """The date by RFC 3339, in the person's own time zone."""
        return rfc3339(self.date)

    @property
    def seconds(self) -> int:
        """The date in seconds since 1970, UTC."""
        return int(self.date.partition(" ")[0])


class LockCommit(Struct, frozen=True):
    """A commit that changes a lockfile. `trailers` are the last lines of its message, by name."""

    id: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    subject: str
    trailers: tuple[tuple[str, str], ...] = ()
    edge: bool = False


class LockChange(Struct, frozen=True):
    """What one commit did to one lockfile.

    `path` is below the repository's root, any bytes. `mode` and `blob` are what is there since;
    None where the file was removed. `before` is the blob at this path in the first parent.
    """

    commit: LockCommit
    path: bytes
    mode: int | None
    blob: str | None
    before: str | None


def changes(
    repository: Repository,
    revisions: Iterable[str],
    *,
    folders: Sequence[bytes] | None = EVERYWHERE,
) -> Iterator[LockChange]:
    """Yield the lockfile changes in the commits that `revisions` reach, newest first.

    A revision is the id of a commit, or `^` and an id for a commit whose ancestry is left out. No
    commit comes before its descendants, else the committer's date decides. `folders` are those
    whose lockfiles are looked at (`b""` is the root); naming them costs less, since then git reads
    no other folder's history. Raises LockshipError where git fails.
    """
    revisions = list(revisions)
    if revisions:
        with _answer(repository, (*_LOG, "--", *pathspecs(folders)), revisions) as stream:
            yield from parsed(tokens(stream), edges(repository))


def ordered(
    repository: Repository, revisions: Iterable[str], commits: Collection[str]
) -> tuple[str, ...]:
    """Return those of the commits that `revisions` reach, in the order of `changes`."""
    words = ("rev-list", "--date-order", "--stdin")
    with _answer(repository, words, revisions) as lines:
        ids = (line.strip().decode() for line in lines)
        return tuple(oid for oid in ids if oid in commits)


@contextmanager
def _answer(
    repository: Repository, words: Sequence[str | bytes], revisions: Iterable[str]
) -> Iterator[IO[bytes]]:
    """Ask git with revisions on its stdin, and give its stdout as it comes.

    Raises LockshipError where git fails; where nobody reads on it is ended.
    """
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as said:
        asked.write("".join(f"{revision}\n" for revision in revisions).encode())
        asked.seek(0)
        process = repository.start(*words, stdin=asked, stderr=said)
        try:
            yield pipe(process.stdout)
        except BaseException:
            process.kill()
            raise
        finally:
            process.communicate()
        if process.returncode:
            said.seek(0)
            raise failure(
                ("log" if "log" in words else "rev-list",), process.returncode, said.read()
            )


def pathspecs(folders: Sequence[bytes] | None) -> Iterator[bytes]:
    """Return pathspecs for at least the lockfiles; `is_lockfile_name` decides later."""
    if folders is EVERYWHERE:
        yield b":(top,glob)**/.shiplock*"
        return
    for folder in folders:
        escaped = b"".join(b"\\%c" % c if c in b"*?[\\" else b"%c" % c for c in folder)
        yield b":(top,glob)" + (escaped + b"/" if folder else b"") + b".shiplock*"


def edges(repository: Repository) -> frozenset[str]:
    """Return the commits whose parents a shallow clone lacks (gitformat-shallow: one id a line)."""
    if not repository.shallow:
        return frozenset()
    return frozenset((repository.common_dir / "shallow").read_text().split())


def pipe(end: IO[bytes] | None) -> IO[bytes]:
    """Return an end of a pipe that was asked for."""
    if end is None:
        raise ValueError("no pipe")
    return end


def tokens(stream: IO[bytes]) -> Iterator[bytes]:
    """Split a stream at its NUL bytes."""
    rest = b""
    while chunk := os.read(stream.fileno(), _READ):  # what is there, without waiting for more
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if rest:
        yield rest


def parsed(values: Iterator[bytes], edges: frozenset[str]) -> Iterator[LockChange]:
    """Read `git log -z --raw`: a commit's fields, then a line and a path for each file."""
    commit: LockCommit | None = None
    for token in values:
        line = token.lstrip(b"\n")
        if line.startswith(b":") and commit is not None:
            path = next(values, b"")
            if is_lockfile_name(path.rpartition(b"/")[2]):
                yield _change(commit, line, path)
        elif line:  # a commit's id; nothing else that is read here begins without a colon
            commit = commit_of([line, *(next(values, b"") for _ in FIELDS[1:])], edges)


def commit_of(fields: Sequence[bytes], edges: frozenset[str] = frozenset()) -> LockCommit:
    """Read the values of `FIELDS`; `edges` are the commits whose parents aren't here."""
    oid, parents, *rest = (field.decode(errors="replace") for field in fields)
    trailers = tuple(
        (name, value.strip())
        for name, colon, value in (line.partition(":") for line in rest[7].split("\n"))
        if colon
    )
    return LockCommit(
        oid, tuple(parents.split()), Person(*rest[:3]), Person(*rest[3:6]), rest[6], trailers,
        edge=oid in edges,
    )  # fmt: skip


def _change(commit: LockCommit, line: bytes, path: bytes) -> LockChange:
    """Read `:MODE MODE ID ID LETTER`; a merge's has a colon, mode and id for each parent."""
    fields = line.lstrip(b":").decode().split(" ")
    sides = len(line) - len(line.lstrip(b":"))
    mode, before, blob = int(fields[sides], 8), fields[sides + 1], fields[2 * sides + 1]
    return LockChange(commit, path, mode or None, _real(blob), _real(before))


def _real(oid: str) -> str | None:
    """Return an id; None for the one of only zeros, which is git's word for nothing."""
    return oid if oid.strip("0") else None
