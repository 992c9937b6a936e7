"""Where this clone stands: what HEAD names, what git is in the middle of, whether a lock is in it.

These are questions about the repository, asked when a deploy is recorded or looks whether it was.
Never about what to deploy: that is in the lock (law 1).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lockship.errors import LockshipError
from lockship.git import Repository
from lockship.lock.model import Lock
from lockship.lock.reader import MAX_BYTES, UnsoundLockError, parse

_UNDERWAY: Final = {  # gitrepository-layout(5), and wt_status_get_state in git's wt-status.c
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase or `git am`",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "BISECT_LOG": "a bisect",
}


def underway(repository: Repository) -> tuple[str, ...]:
    """Return what git is in the middle of, such as 'a merge'."""
    return tuple(what for name, what in _UNDERWAY.items() if (repository.git_dir / name).exists())


def branch(repository: Repository) -> str | None:
    """Return the ref that HEAD is, such as `refs/heads/main`; None where it is a commit itself."""
    said = repository.run("symbolic-ref", "--quiet", "HEAD", ok=(0, 1))
    return said.decode().strip() or None


def commit(repository: Repository) -> str | None:
    """Return the commit that HEAD names; None on a branch without one."""
    asked = ("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return repository.run(*asked, ok=(0, 1, 128)).decode().strip() or None


def path_in(repository: Repository, file: Path) -> bytes:
    """Return a file's path below the repository's root, its parts joined by '/'."""
    folder = file.parent.resolve()
    return bytes(folder.relative_to(repository.root.resolve()) / file.name)


def is_committed(file: Path, lock: Lock) -> bool | None:
    """Tell whether HEAD's tree has this lock at this file's path; None where git can't tell.

    That is so where there is no repository: a lock is enough to deploy.
    """
    try:
        repository = Repository.discover(file.parent)
        path = path_in(repository, file).decode(errors="surrogateescape")
        with repository.objects() as objects:
            found = objects.find(f"HEAD:{path}", MAX_BYTES + 1)
    except LockshipError:
        return None
    if found is None or found[1] != "blob":
        return False
    try:
        return parse(found[2], file.name) == lock
    except UnsoundLockError:
        return False
