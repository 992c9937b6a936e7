"""The source commit: which commit the content of HEAD comes from."""

from __future__ import annotations

from lockship.errors import RefusedError
from lockship.git import Objects
from lockship.gitobjects import Commit, Entry, Read, commit, entries, find_entry, same_content
from lockship.lock.model import Lock
from lockship.lock.reader import parse
from lockship.selection import Paths, same_selection


def head(objects: Objects) -> Commit:
    """Resolve HEAD, once. Raises RefusedError where there is no commit yet."""
    found = objects.find("HEAD")
    if found is None:
        raise RefusedError("There is no commit yet.", hint="`git add` and `git commit` first.")
    oid, _, data = found
    return commit(oid, data)


def source_commit(objects: Objects, start: Commit, paths: Paths = ()) -> tuple[Commit, bool]:
    """Return `start`, or while its content (at `paths`) equals its first parent's, that parent.

    So a commit that only adds or changes a lock (or nothing) has the source of the commit before,
    and the lock that it commits stays fresh. The second value tells that a shallow clone ends
    there, before its parent could be compared: see `refuse_edge`.
    """
    current = start
    while current.parents:
        found = objects.find(current.parents[0])
        if found is None:
            return current, True
        parent = commit(found[0], found[2])
        trees = (objects.read, current.tree, parent.tree)
        if not (same_selection(*trees, paths) if paths else same_content(*trees)):
            return current, False
        current = parent
    return current, False


def refuse_edge(
    read: Read, edge: Commit, content: str, folder: bytes = b"", paths: Paths = ()
) -> None:
    """Raise RefusedError where the commit at a shallow clone's edge looks like one of a lock only.

    `content` is its content tree. A commit whose lock names its parent, or its very content, was
    most likely made to commit that lock: its source lies beyond the edge, and a full clone would
    find it. Otherwise the commit brought content, and is the source. (Only an empty commit right
    at the edge can't be told from that: docs/lockfile.md.) Where a service is made of some `paths`
    only, most commits change none of them: then it is refused whatever the lock in `folder` says.
    """
    if paths:
        raise RefusedError(
            f"This clone is shallow: it ends at {edge.id[:12]}, and which commit last changed "
            "[source] paths can't be told.",
            hint="`git fetch --unshallow`, then repeat.",
        )
    here = find_entry(read, edge.tree, folder) if folder else None
    for entry in entries(read(here.id if here else edge.tree)):
        lock = _parsed(read, entry) if entry.is_lockfile else None
        if lock is not None and (lock.source.commit in edge.parents or lock.source.tree == content):
            raise RefusedError(
                f"This clone is shallow: {edge.id[:12]} commits a lock, and the commit that the "
                f"lock was prepared from ({lock.source.commit[:12]}) isn't here.",
                hint="`git fetch --deepen=1`, then repeat.",
            )


def _parsed(read: Read, entry: Entry) -> Lock | None:
    try:
        return parse(read(entry.id), entry.name.decode())
    except RefusedError:  # damaged or newer: it says nothing
        return None
