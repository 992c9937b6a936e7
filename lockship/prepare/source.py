"""The source commit: which commit the content of HEAD comes from."""

from __future__ import annotations

from lockship.errors import RefusedError
from lockship.git import Objects
from lockship.gitobjects import Commit, commit, same_content


def head(objects: Objects) -> Commit:
    """Resolve HEAD, once. Raises RefusedError where there is no commit yet."""
    found = objects.find("HEAD")
    if found is None:
        raise RefusedError("There is no commit yet.", hint="`git add` and `git commit` first.")
    oid, _, data = found
    return commit(oid, data)


def source_commit(objects: Objects, start: Commit) -> Commit:
    """Return `start`, or while its content equals its first parent's, that parent.

    So a commit that only adds or changes a lock (or nothing) has the source of the commit before,
    and the lock that it commits stays fresh. Raises RefusedError where a shallow clone ends before
    the answer: a full clone's could be another one.
    """
    current = start
    while current.parents:
        found = objects.find(current.parents[0])
        if found is None:
            raise RefusedError(
                f"This clone is shallow: the parent of {current.id[:12]} isn't here, so it can't "
                "be told whether this commit changed anything but the lock.",
                hint="`git fetch --deepen=1`, then repeat.",
            )
        parent = commit(found[0], found[2])
        if not same_content(objects.read, current.tree, parent.tree):
            return current
        current = parent
    return current
