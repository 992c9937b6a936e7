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
from lockship.build.gitrun import StoreError
from lockship.build.listing import list_tree
from lockship.build.memory import forget, load, save
from lockship.build.store import open_store, wipe
from lockship.errors import LockshipError, RefusedError
from lockship.lock.model import Lock
from lockship.progress import Event, Report

_STEP: Final = "build folder"
# Git's words when a disk is full or read-only; an index.lock it can't make is one of them.
_FORBIDDEN = re.compile(r"invalid path|empty filename in tree entry|malformed mode")
_FULL = re.compile(r"unable to (write|create)|No space left|Disk quota|Read-only file system")


@contextmanager
def locked_tree(
    repository_root: Path, lock: Lock, report: Report, base: Path | None = None
) -> Iterator[Path]:
    """Give the folder with exactly the locked content; nobody else changes it meanwhile.

    `base` is where the build folder is to be, instead of the repository's own.

    Raises RefusedError where an object that the lock names isn't here or isn't what it says, and
    LockshipError where the folder can't be written.
    """
    clone = open_clone(repository_root)
    base = folder_of(clone) if base is None else base
    with _os_errors(base):
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        base.chmod(0o700)
        descriptor = os.open(base / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take_turn(descriptor, report)
        report(Event("start", _STEP))
        try:
            with _os_errors(base):
                files = _bring(base, descriptor, clone, lock, report)
        except BaseException:
            report(Event("failed", _STEP))
            raise
        report(Event("done", _STEP))
        yield files
    finally:
        os.close(descriptor)


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
    except StoreError as error:
        said = "\n".join(error.details)
        if _FULL.search(said):
            raise _unwritable(base, "git can't write there", error.details) from error
        if _FORBIDDEN.search(said):
            raise RefusedError(
                "The locked content has a path that git refuses to write.",
                details=error.details,
                hint="Remove it from the repository, then `lockship prepare`.",
            ) from error
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


def _take_turn(descriptor: int, report: Report) -> None:
    """Wait until no other build of this repository runs. git, which inherits it, holds it too."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        report(Event("note", "waiting for another build of this repository"))
        fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextmanager
def _os_errors(base: Path) -> Iterator[None]:
    """Turn an OSError in the block into a LockshipError."""
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno or 0)
        path = os.fsdecode(error.filename) if error.filename is not None else None
        if path is not None and not path.startswith(str(base)) and Path(path) not in base.parents:
            raise LockshipError(
                f"{path} can't be read: {why}.", hint="Allow reading it, then build again."
            ) from error
        raise _unwritable(base, why) from error  # what fails while writing has no name


def _unwritable(base: Path, why: str, details: Sequence[str] = ()) -> LockshipError:
    free = f" ({shutil.disk_usage(base).free // 1_000_000} MB are free)" if base.is_dir() else ""
    return LockshipError(
        f"The build folder {base} can't be written: {why}{free}.",
        details=details,
        hint="Make room there, or set XDG_CACHE_HOME to another folder, then build again.",
    )
