"""The persistent build folder of a repository, brought to the locked tree.

A real folder, so `.dockerignore` and every Dockerfile feature work as ever; kept between builds, so
only changed files are written and BuildKit sends only those. It lies in the user's cache folder:

    $XDG_CACHE_HOME/lockship/build/<name>-<hash>/   lock, memory.json, git/ (see store), tree/
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lockship.build.case import ignores_case, refuse_clashes
from lockship.build.clone import Clone, open_clone
from lockship.build.content import assemble
from lockship.build.listing import list_tree
from lockship.build.memory import forget, load, save
from lockship.build.store import open_store, wipe
from lockship.errors import LockshipError, RefusedError
from lockship.lock.model import Lock
from lockship.progress import Event, Report

_STEP: Final = "build folder"
# Git's words when a disk is full or read-only; an index.lock it can't make is one of them.
_FULL = re.compile(r"unable to (write|create)|No space left|Disk quota|Read-only file system")


@contextmanager
def locked_tree(repository_root: Path, lock: Lock, report: Report) -> Iterator[Path]:
    """Give the folder with exactly the locked content; nobody else changes it meanwhile.

    Raises RefusedError where an object that the lock names isn't here or isn't what it says, and
    LockshipError where the folder can't be written.
    """
    clone = open_clone(repository_root)
    base = folder_of(clone)
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        base.chmod(0o700)
        with _turn(base, report) as turn:
            report(Event("start", _STEP))
            try:
                files = _bring(base, turn, clone, lock, report)
            except BaseException:
                report(Event("failed", _STEP))
                raise
            report(Event("done", _STEP))
            yield files
    except OSError as error:
        if error.filename is not None and str(error.filename).startswith(str(base)):
            raise _unwritable(base, os.strerror(error.errno or 0)) from error
        raise


def folder_of(clone: Clone) -> Path:
    """Return the build folder's place: one for each repository, its linked worktrees included."""
    # The XDG base directory specification: a relative path there is to be ignored.
    named = os.environ.get("XDG_CACHE_HOME", "")
    cache = Path(named) if named.startswith("/") else Path.home() / ".cache"
    common = clone.common_dir
    digest = hashlib.sha256(os.fsencode(common)).hexdigest()[:16]
    name = common.parent.name if common.name == ".git" else common.name
    readable = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)[:40]
    return cache / "lockship" / "build" / f"{readable}-{digest}"


def _bring(base: Path, turn: int, clone: Clone, lock: Lock, report: Report) -> Path:
    fresh = not (base / "git/index").exists()
    try:
        return _check_out(base, turn, clone, lock)
    except RefusedError:
        raise
    except LockshipError as error:
        if any(_FULL.search(line) for line in error.details):
            raise _unwritable(base, "git can't write there", error.details) from error
        if fresh:
            raise
        # Killed at a bad moment, or half-removed by a cache cleaner: it holds nothing of its own.
        report(Event("note", "the build folder was damaged and is written anew"))
        wipe(base)
        forget(base)
        return _check_out(base, turn, clone, lock)


def _check_out(base: Path, turn: int, clone: Clone, lock: Lock) -> Path:
    store = open_store(base, turn)
    store.borrow(clone.objects)
    memory = load(base)
    contents = dict(memory.contents)
    tree = assemble(store, clone, lock, memory)
    if ignores_case(base, "tree"):
        refuse_clashes(list_tree(store.git, tree))
    store.check_out(tree)
    save(base, memory)
    store.prune(always=memory.contents != contents)
    return store.files


@contextmanager
def _turn(base: Path, report: Report) -> Iterator[int]:
    """Hold the folder's lock, after any build that has it. Children that inherit it hold it too."""
    descriptor = os.open(base / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(Event("note", "waiting for another build of this repository"))
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _unwritable(base: Path, why: str, details: Sequence[str] = ()) -> LockshipError:
    free = shutil.disk_usage(base.parent).free // 1_000_000 if base.parent.is_dir() else 0
    return LockshipError(
        f"The build folder {base} can't be written: {why} ({free} MB are free).",
        details=details,
        hint="Make room there, or set XDG_CACHE_HOME to another folder, then build again.",
    )
