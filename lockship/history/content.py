"""Content trees of many commits: each folder is read once, however many commits share it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final

from lockship.errors import LockshipError
from lockship.git import MissingObjectError, Objects
from lockship.gitobjects import hash_object
from lockship.lock.names import LOCKFILE_NAME, is_lockfile_name
from lockship.selection import select

# A line of a raw tree: mode, name, id. Matching is some ten times faster than making an `Entry`
# of each, and in a large repository all trees are looked at.
_LINE: Final = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
_FOLDERS: Final = frozenset({b"40000", b"040000"})
# Bytes that a tree with a folder or a lockfile in it must have. Most have neither, and needn't be
# taken apart.
_FOLDER: Final = b"40000 "
_LOCKFILE: Final = LOCKFILE_NAME.encode()
_EMPTY: Final = hash_object("tree", b"")

_Lines = list[tuple[bytes, bytes, bytes]]


class Contents:
    """Computes content trees: the ids that trees have without lockfiles. Writes nothing."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[str, str | None] = {}  # None: nothing is left of that folder

    def of(self, tree: str, paths: Sequence[str] = ()) -> str:
        """Return the content tree of a root tree, of what is at `paths` only where there are some.

        Raises MissingObjectError where a tree isn't here, LockshipError where one is damaged.
        """
        if not paths:
            return self._of(tree) or _EMPTY
        wanted = frozenset(os.fsencode(path) for path in paths)
        read = self._objects.read
        return select(read, tree, wanted, lambda _, folder: self._of(folder)) or _EMPTY

    def _of(self, tree: str) -> str | None:
        levels: list[dict[str, _Lines]] = []
        wanted = [] if tree in self._known else [tree]
        while wanted:
            read = self._read(wanted)
            levels.append(read)
            below = {oid for lines in read.values() for oid in _folders(lines)}
            wanted = [oid for oid in below if oid not in self._known]
        # From the deepest level up: what is below a folder is known before the folder is. A tree
        # that is met on two levels is computed on the deeper one, with all that is below it.
        for level in reversed(levels):
            for oid, lines in level.items():
                if oid not in self._known:
                    self._known[oid] = self._without_lockfiles(oid, lines)
        return self._known[tree]

    def _read(self, trees: list[str]) -> dict[str, _Lines]:
        read = {}
        for oid, found in zip(trees, self._objects.find_all(trees), strict=True):
            if found is None:
                raise MissingObjectError(
                    f"Tree {oid} is not in this repository.",
                    hint="Fetch it (`git fetch`), or look for damage with `git fsck`.",
                )
            if found[1] == "tree" and _FOLDER not in found[2] and _LOCKFILE not in found[2]:
                self._known[oid] = oid
                continue
            lines = _LINE.findall(found[2])
            size = sum(len(mode) + len(name) + 22 for mode, name, _ in lines)
            if found[1] != "tree" or size != len(found[2]):
                raise LockshipError(f"Object {oid} is no sound tree.", hint="Ask `git fsck`.")
            read[oid] = lines
        return read

    def _without_lockfiles(self, oid: str, lines: _Lines) -> str | None:
        if all(
            self._known[raw.hex()] == raw.hex()
            if mode in _FOLDERS
            else not name.startswith(_LOCKFILE)
            for mode, name, raw in lines
        ):
            return oid
        kept = bytearray()
        same = True
        for mode, name, raw in lines:
            left: str | None = raw.hex()
            if mode in _FOLDERS:
                left = self._known[raw.hex()]
            elif mode.startswith(b"100") and is_lockfile_name(name):
                left = None
            same = same and left == raw.hex()
            if left is not None:
                kept += mode.lstrip(b"0") + b" " + name + b"\0" + bytes.fromhex(left)
        if same:
            return oid
        return hash_object("tree", bytes(kept)) if kept else None


def _folders(lines: _Lines) -> list[str]:
    return [raw.hex() for mode, _, raw in lines if mode in _FOLDERS]
