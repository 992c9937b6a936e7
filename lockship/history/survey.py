"""One walk over a whole history: every change of a lockfile, and the commits that record deploys.

`git log` names the commits, with their messages; `git diff-tree` gets the names as they come and
compares the trees, in a process of its own. It opens no folder where only the root's lockfiles are
asked for, which `git log`, given a pattern, does: that takes twice as long. And one look at the
messages finds the records. Which commit comes first is git's choice by date, so that nothing waits
for the whole walk; where a clock was wrong, that is noticed (`in_order`).
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from typing import IO, Final

from lockship.git import Repository, failure
from lockship.history.record import PREFIX
from lockship.history.walk import (
    FIELDS,
    ROOT,
    LockChange,
    edges,
    parsed,
    pathspecs,
    pipe,
    tokens,
)

_LOG: Final = (
    *("log", "-z", "--no-color", "--no-notes", "--no-mailmap", "--no-show-signature", "--no-patch"),
    *("--encoding=UTF-8", "--format=%H %P%x00%B", "--stdin"),
)
_DIFF: Final = (
    *("-c", "diff.orderFile=/dev/null", "diff-tree", "--stdin", "-z", "--raw", "-c", "--root"),
    *("--no-abbrev", "--no-renames", "--no-color", "--no-notes", "--no-relative"),
    *("--no-show-signature", "--ignore-submodules=none", "--date=raw", "--encoding=UTF-8"),
    f"--format={'%x00'.join(FIELDS)}",
)
_MARK: Final = f"{PREFIX}Fingerprint: ".encode()
_AT_ONCE: Final = 256  # commits that are handed on together


class Survey:
    """A walk over what some revisions reach, all of it; read `changes` to its end, then the rest.

    `records` are the ids of commits whose messages may record a deploy, in the walk's order;
    `in_order` tells whether no commit came before its descendants.
    """

    def __init__(
        self, repository: Repository, revisions: Sequence[str], folders: Sequence[bytes] | None
    ) -> None:
        self.records: list[str] = []
        self.in_order = True
        self._broken: BaseException | None = None
        self._repository = repository
        self._revisions = revisions
        self._folders = folders

    def changes(self) -> Generator[LockChange]:
        """Yield the changes in the walk's order; see `walk.changes`. Raises LockshipError."""
        if not self._revisions:
            return
        # Of the root's files alone no folder must be opened.
        deep = () if self._folders == ROOT else ("-r",)
        words = (*_DIFF, *deep, "--", *pathspecs(self._folders))
        asked = "".join(f"{revision}\n" for revision in self._revisions).encode()
        with tempfile.TemporaryFile() as revisions, tempfile.TemporaryFile() as said:
            revisions.write(asked)
            revisions.seek(0)
            log = self._repository.start(*_LOG, stdin=revisions, stderr=said)
            diff = self._repository.start(*words, stdin=subprocess.PIPE, stderr=said)
            feeder = threading.Thread(target=self._feed, args=(log.stdout, diff.stdin))
            feeder.start()
            try:
                yield from parsed(tokens(pipe(diff.stdout)), edges(self._repository))
            except BaseException:  # also where nobody reads on
                log.kill()
                diff.kill()
                raise
            finally:
                feeder.join()
                pipe(log.stdout).close()  # it may still be writing, where diff-tree failed
                for process in (diff, log):
                    process.wait()
                pipe(diff.stdout).close()
            for process, name in ((diff, "diff-tree"), (log, "log")):
                if process.returncode:
                    said.seek(0)
                    raise failure((name,), process.returncode, said.read())
        if self._broken is not None:
            raise self._broken

    def _feed(self, named: IO[bytes], asked: IO[bytes]) -> None:
        """Hand the commits on, and look at their messages and parents."""
        try:
            with contextlib.suppress(BrokenPipeError), asked:  # git said why
                for oids in self._named(tokens(named)):
                    asked.write(b"".join(b"%s\n" % oid for oid in oids))
        except Exception as error:  # noqa: BLE001 - raised where the thread is waited for
            self._broken = error

    def _named(self, values: Iterator[bytes]) -> Iterator[list[bytes]]:
        """Yield the commits, some at a time."""
        awaited: set[bytes] = set()  # parents that were named, and didn't come yet
        some: list[bytes] = []
        for head in values:
            oid, *parents = head.split()
            awaited.discard(oid)
            awaited.update(parents)
            if _MARK in next(values, b""):
                self.records.append(oid.decode())
            some.append(oid)
            if len(some) == _AT_ONCE:
                yield some
                some = []
        yield some
        # One that came before a child of its is awaited for ever; so is what was left out.
        self.in_order = not awaited
