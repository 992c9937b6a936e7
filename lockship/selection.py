"""The part of a tree that a service is made of, where `[source] paths` names one. Pure.

`paths` are those of the lock: relative to the root, none below another; empty for all of a tree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from lockship.gitobjects import FOLDER, Read, entries, find_entry, hash_object, same_entry

Paths = Collection[bytes]


def covers(paths: Paths, path: bytes) -> bool:
    """Tell whether a path is one of `paths`, or below one."""
    return not paths or any(path == each or path.startswith(each + b"/") for each in paths)


def touches(paths: Paths, path: bytes) -> bool:
    """Tell whether a path is covered, or is a folder with something that is."""
    return covers(paths, path) or any(each.startswith(path + b"/") for each in paths)


def without_nested(paths: Collection[str]) -> tuple[str, ...]:
    """Return paths in order, without those that are below another; none where one is all."""
    kept: list[str] = []
    for path in sorted(set(paths), key=lambda each: (each.count("/"), each)):
        if not any(path.startswith(f"{above}/") for above in kept):
            kept.append(path)
    return () if "." in kept else tuple(sorted(kept))


def select(
    read: Read,
    tree: str,
    paths: Paths,
    content: Callable[[bytes, str], str | None],
    above: bytes = b"",
) -> str | None:
    """Return the id of what is left of a tree: what is at `paths`; None where that is nothing.

    `content` gets the path and id of a folder, and returns its content tree's. Nothing is written:
    the id is computed, as `gitobjects.content_tree` does. `above` is the path of `tree` itself.
    """
    wanted: dict[bytes, set[bytes]] = {}
    for path in paths:
        first, _, rest = path.partition(b"/")
        wanted.setdefault(first, set()).add(rest)
    kept = bytearray()
    for entry in entries(read(tree)):
        rests = wanted.get(entry.name, set())
        oid: str | None = None
        if entry.mode == FOLDER and b"" in rests:
            oid = content(above + entry.name, entry.id)
        elif entry.mode == FOLDER and rests:
            oid = select(read, entry.id, rests, content, above + entry.name + b"/")
        elif b"" in rests and not entry.is_lockfile:
            oid = entry.id
        if oid is not None:
            kept += b"%o %s\0" % (entry.mode, entry.name) + bytes.fromhex(oid)
    return hash_object("tree", bytes(kept)) if kept else None


def same_selection(read: Read, one: str, other: str, paths: Paths) -> bool:
    """Tell whether two trees hold the same at `paths`, lockfiles aside; reads what differs."""
    return all(
        same_entry(read, find_entry(read, one, path), find_entry(read, other, path))
        for path in paths
    )
