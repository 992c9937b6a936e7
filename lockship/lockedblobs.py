"""Blobs that a lock names beside its tree, read from git's objects: hooks, accessories' files.

What is used is what was locked, whatever the working tree holds by then (laws 1 and 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lockship.errors import LockshipError, RefusedError
from lockship.git import Repository
from lockship.gitobjects import hash_object
from lockship.lock.model import Lock
from lockship.lock.version import snapshot_ref


def read_blobs(root: Path, lock: Lock, what: str, blobs: Mapping[str, str]) -> dict[str, bytes]:
    """Return the content of blobs, by their names; `what` they are, in words, for messages.

    Raises RefusedError where one isn't in the repository at `root`, or where there is none.
    """
    if not blobs:
        return {}
    if not (root / ".git").exists():
        raise RefusedError(
            f"The lock names {what} ({', '.join(blobs)}), and the git repository that has them "
            "isn't here.",
            hint=f"Deploy from a clone that has commit {lock.source.commit[:12]}.",
        )
    with Repository.discover(root).objects() as objects:
        ids = list(dict.fromkeys(blobs.values()))
        found = dict(zip(ids, objects.find_all(ids), strict=True))
    contents = {name: seen[2] for name, blob in blobs.items() if (seen := found[blob]) is not None}
    absent = [f"{name}: {blob}" for name, blob in blobs.items() if name not in contents]
    if absent:
        raise RefusedError(
            f"{what.capitalize()} that the lock names aren't in this repository.",
            details=absent,
            hint=f"Fetch them: {fetching(lock)}.",
        )
    for name, content in contents.items():
        if hash_object("blob", content) != blobs[name]:
            raise LockshipError(
                f"Object {blobs[name]} isn't what its name says.", hint="Ask `git fsck`."
            )
    return contents


def fetching(lock: Lock) -> str:
    """Return the command that fetches what was locked; a snapshot must have been pushed first."""
    if lock.source.snapshot is None:
        return f"`git fetch origin {lock.source.commit}`"
    ref = snapshot_ref(lock.source.commit, lock.source.tree)
    return f"`git fetch origin {ref}:{ref}`, once it is pushed there: `git push origin {ref}`"
