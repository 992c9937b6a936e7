"""The locked scripts, read from git's objects: what runs is what was locked (laws 1 and 3)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lockship.errors import LockshipError, RefusedError
from lockship.git import Repository
from lockship.gitobjects import hash_object
from lockship.lock.model import Lock


def read(root: Path, lock: Lock) -> Mapping[str, bytes]:
    """Return the content of every hook that the lock names, by its name.

    Raises RefusedError where one isn't in the repository at `root`, or where there is none: a
    deploy without its hooks would be another one than was locked.
    """
    blobs = lock.hooks.blobs if lock.hooks else {}
    if not blobs:
        return {}
    if not (root / ".git").exists():
        raise RefusedError(
            f"The lock names deploy hooks ({', '.join(blobs)}), and the git repository that has "
            "their scripts isn't here.",
            hint=f"Deploy from a clone that has commit {lock.source.commit[:12]}.",
        )
    with Repository.discover(root).objects() as objects:
        found = {name: objects.find(blob) for name, blob in blobs.items()}
    scripts = {name: seen[2] for name, seen in found.items() if seen is not None}
    absent = [f"{name}: {blob}" for name, blob in blobs.items() if name not in scripts]
    if absent:
        raise RefusedError(
            "Deploy hooks that the lock names aren't in this repository.",
            details=absent,
            hint=f"Fetch them: `git fetch origin {_origin(lock)}`",
        )
    for name, script in scripts.items():
        if hash_object("blob", script) != blobs[name]:
            raise LockshipError(
                f"Object {blobs[name]} isn't what its name says.", hint="Ask `git fsck`."
            )
    return scripts


def _origin(lock: Lock) -> str:
    """Return the commit that has the scripts."""
    return lock.source.snapshot or lock.source.commit
