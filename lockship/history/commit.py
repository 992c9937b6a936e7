"""Commit one file alone, whatever else is staged or changed: git's plumbing, no `git commit`.

The new commit's tree is HEAD's with this one file; the index then gets the file's entry and keeps
every other as it is. The working tree isn't touched, and no hook of the person's runs: a
pre-commit hook looks at the index, which isn't what is committed here.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from msgspec import Struct

from lockship.errors import LockshipError, RefusedError
from lockship.git import Repository
from lockship.gitobjects import find_entry
from lockship.history import head

# Who commits, and when, as git itself takes it from the environment.
_IDENTITY: Final = re.compile(r"GIT_(?:AUTHOR|COMMITTER)_(?:NAME|EMAIL|DATE)")
_ATTEMPTS: Final = 5
_PLAIN: Final = 0o100644
_ELSE: Final = "or deploy with --no-commit."


class Place(Struct, frozen=True):
    """Where a commit is to go: a file's path below the root, and the branch (None: detached)."""

    repository: Repository
    path: bytes
    branch: str | None


def place_for(file: Path) -> Place:
    """Look whether a commit of this file can be made here, before there is anything to commit.

    Raises UsageError or RefusedError, with the reason and the way out.
    """
    repository = Repository.discover(file.parent)
    if head.commit(repository) is None:
        raise RefusedError(
            "There is no commit on this branch yet, so that none can be added to it.",
            hint=f"Switch to the branch that the lock belongs to, {_ELSE}",
        )
    # A bisect may be left in the middle: then HEAD is detached, and that is said.
    ongoing = [what for what in head.underway(repository) if what != "a bisect"]
    if ongoing:
        raise RefusedError(
            f"Git is in the middle of {' and '.join(ongoing)}: a commit now would become part "
            "of it.",
            hint=f"Finish or abort it first, {_ELSE}",
        )
    try:
        for who in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            repository.run("var", who, env=_identity())
    except LockshipError as error:
        raise RefusedError(
            "Git doesn't know who commits here.",
            hint="`git config user.name NAME` and `git config user.email ADDRESS`, "
            "or GIT_AUTHOR_NAME and the like; " + _ELSE,
        ) from error
    return Place(repository, head.path_in(repository, file), head.branch(repository))


def commit_alone(place: Place, data: bytes, message: str) -> str | None:
    """Commit `data` as the file's content, on top of HEAD; return the commit's id.

    None where HEAD has this very content. It is signed where git is set up to.
    Raises LockshipError, and then nothing is committed, though the file may be staged; `IndexKept`
    where only the index couldn't get the file's entry.
    """
    repository, path = place.repository, place.path
    named = ("hash-object", "-w", "--stdin", b"--path=" + path)
    blob = repository.run(*named, stdin=data).decode().strip()
    for attempt in range(1, _ATTEMPTS + 1):
        parent = _parent(place)
        mode, tree = _tree_with(repository, parent, path, blob)
        if tree == _tree_of(repository, parent):
            return None
        made = _written(repository, tree, parent, message)
        # First, so that a commit that is killed here leaves the lockfile staged, not its undoing.
        kept = _index(place, mode, blob)
        if not _advanced(place, made, parent, message, last=attempt == _ATTEMPTS):
            continue  # somebody else committed in between: on top of that, then
        if kept is not None:
            raise IndexKept(made, kept.details, path.decode(errors="backslashreplace")) from kept
        return made
    raise AssertionError  # the last attempt returns or raises


def commit_message(place: Place, message: str) -> str:
    """Commit a message on top of HEAD and no file: the tree stays HEAD's. Return the commit's id.

    It is signed where git is set up to. Raises LockshipError, and then nothing is committed.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        parent = _parent(place)
        tree = _tree_of(place.repository, parent)
        made = _written(place.repository, tree, parent, message)
        if _advanced(place, made, parent, message, last=attempt == _ATTEMPTS):
            return made
    raise AssertionError  # the last attempt returns or raises


def _advanced(place: Place, made: str, parent: str, message: str, *, last: bool) -> bool:
    """Move HEAD's branch to a commit; False where it isn't at its parent any more.

    Raises LockshipError where it can't be moved, or where that was the last attempt.
    """
    subject = message.partition("\n")[0]
    words = ("update-ref", "-m", f"lockship: {subject}", "HEAD", made, parent)
    try:
        place.repository.run(*words, env=_identity())
    except LockshipError as error:
        if not last and head.commit(place.repository) != parent:
            return False
        raise LockshipError(
            "The branch couldn't be moved to the new commit.", details=error.details,
            hint="Another git command may be at work here.",
        ) from error  # fmt: skip
    return True


class IndexKept(LockshipError):  # noqa: N818 - it names what is left
    """The commit was made, and the index still has the file's old entry."""

    def __init__(self, commit: str, details: tuple[str, ...], path: str) -> None:
        super().__init__(
            f"Commit {commit[:12]} was made, but git's index couldn't be brought along.",
            details=details,
            hint=f"`git add {path}` does that.",
        )
        self.commit = commit


def _identity() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if _IDENTITY.fullmatch(name)}


def _parent(place: Place) -> str:
    """Return what HEAD names now. Raises RefusedError where it is another branch than before."""
    now = head.branch(place.repository)
    parent = head.commit(place.repository)
    if now != place.branch or parent is None:
        before, after = (_short(each) for each in (place.branch, now))
        raise RefusedError(
            f"HEAD was on {before} when the deploy began, and is on {after} now.",
            hint=f"Switch back to {before}.",
        )
    return parent


def _short(ref: str | None) -> str:
    return ref.removeprefix("refs/heads/") if ref else "no branch"


def _tree_of(repository: Repository, commit: str) -> str:
    return repository.run("rev-parse", "--verify", f"{commit}^{{tree}}").decode().strip()


def _tree_with(repository: Repository, commit: str, path: bytes, blob: str) -> tuple[int, str]:
    """Write the commit's tree with another blob at a path; return the file's mode and the tree."""
    root = _tree_of(repository, commit)
    with repository.objects() as objects:
        there = find_entry(objects.read, root, path)
    mode = there.mode if there is not None and there.is_file else _PLAIN
    *folders, name = path.split(b"/")
    trees = [root]
    with repository.objects() as objects:
        for depth in range(1, len(folders) + 1):
            below = find_entry(objects.read, root, b"/".join(folders[:depth]))
            trees.append(below.id if below is not None else "")
    line = b"%o blob %s\t" % (mode, blob.encode())
    for tree, part in zip(reversed(trees), reversed([*folders, name]), strict=True):
        listed = repository.run("ls-tree", "-z", tree).split(b"\0") if tree else []
        kept = [each for each in listed if each and each.partition(b"\t")[2] != part]
        made = repository.run(
            "mktree", "-z", "--missing", stdin=b"".join(b"%s\0" % e for e in [*kept, line + part])
        )
        line = b"040000 tree %s\t" % made.strip()
    return mode, made.decode().strip()


def _written(repository: Repository, tree: str, parent: str, message: str) -> str:
    """Write the commit; signed where commit.gpgSign says so (git-commit-tree(1) doesn't ask it)."""
    asked = ("config", "--type=bool", "--get", "commit.gpgSign")
    sign = repository.run(*asked, ok=(0, 1)).strip() == b"true"
    words = ["-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree, "-p", parent, "-F", "-"]
    if sign:
        words.append("-S")
    try:
        made = repository.run(*words, stdin=message.encode(errors="replace"), env=_identity())
    except LockshipError as error:
        if not sign:
            raise
        raise LockshipError(
            "Git is set up to sign commits (commit.gpgSign), and couldn't sign this one.",
            details=error.details,
            hint="Unlock the key, or mend user.signingKey and gpg.format.",
        ) from error
    return made.decode().strip()


def _index(place: Place, mode: int, blob: str) -> LockshipError | None:
    """Put the file's entry into the index; return why that can't be."""
    entry = b"%o,%s,%s" % (mode, blob.encode(), place.path)
    try:
        place.repository.run("update-index", "--add", "--cacheinfo", entry)
    except LockshipError as error:
        return error
    return None
