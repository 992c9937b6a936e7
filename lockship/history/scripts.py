"""Whether the deploy hooks that a lock names are those of the tree that it locks, all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lockship.errors import LockshipError
from lockship.git import Objects
from lockship.gitobjects import FOLDER as TREE
from lockship.gitobjects import entries, find_entry
from lockship.lock.hooks import EXECUTABLE, NAMES, Hooks, folders

_SHORT = 12


def of_tree(objects: Objects, root: str, below: str) -> dict[str, str]:
    """Return the hooks of a service in a tree, name to blob, as `prepare` locks them."""
    found: dict[str, str] = {}
    for folder in folders(below):
        found |= _scripts(objects, root, folder)
    return found


def _scripts(objects: Objects, root: str, path: str) -> dict[str, str]:
    folder = find_entry(objects.read, root, os.fsencode(path))
    if folder is None or folder.mode != TREE:
        return {}
    try:
        listed = entries(objects.read(folder.id))
    except ValueError as error:
        raise LockshipError(
            f"Object {folder.id} is no sound tree.", hint="Ask `git fsck`."
        ) from error
    there = {entry.name.decode(errors="replace"): entry for entry in listed}
    return {
        name: there[name].id
        for name in NAMES
        if name in there and f"{there[name].mode:o}" == EXECUTABLE
    }


def differing(
    objects: Objects, hooks: Hooks | None, root: str, below: str
) -> Iterator[tuple[str, str]]:
    """Yield each hook that isn't locked as the tree has it: its name, and what is wrong."""
    locked, there = hooks.blobs if hooks else {}, of_tree(objects, root, below)
    for name in NAMES:
        ours, theirs = locked.get(name), there.get(name)
        if ours == theirs:
            continue
        if theirs is None:
            yield (
                name,
                f"the content has no such script, and the lock names {(ours or '')[:_SHORT]}",
            )
        elif ours is None:
            yield name, "the content has this script, and the lock leaves it out"
        else:
            yield name, f"script {ours[:_SHORT]} should be {theirs[:_SHORT]}"


def missing(objects: Objects, hooks: Hooks | None) -> Iterator[tuple[str, str]]:
    """Yield each locked script that isn't in this repository: its name, and its blob."""
    for name, blob in hooks.blobs.items() if hooks else ():
        if objects.find(blob, 0) is None:
            yield name, blob
