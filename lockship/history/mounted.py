"""Whether the files that a lock puts into accessories are those of the tree that it locks."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lockship.git import Objects
from lockship.gitobjects import find_entry
from lockship.lock.accessory import files_of
from lockship.lock.model import Lock

_SHORT = 12


def differing(objects: Objects, lock: Lock, root: str) -> Iterator[tuple[str, str]]:
    """Yield, for each file that isn't as the tree has it, its accessory and what is wrong."""
    for name, accessory in lock.accessories.items():
        for file in files_of(accessory):
            there = find_entry(objects.read, root, os.fsencode(file.source))
            if there is None or not there.is_file:
                yield name, f"the content has no file {file.source}"
            elif there.id != file.blob:
                ours, theirs = file.blob[:_SHORT], there.id[:_SHORT]
                yield name, f"{file.source}: blob {ours} should be {theirs}"
            elif there.mode & 0o777 != file.mode:
                yield name, f"{file.source}: mode {file.mode:o} should be {there.mode & 0o777:o}"
