"""Where lockfiles are at some commits: the folders whose history is worth walking."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from lockship.git import Objects
from lockship.lock.names import is_lockfile_name

# A line of a raw tree that is a folder, or may be a lockfile (git's tree format).
_LINE: Final = re.compile(rb"(\d+) ([^\0]+)\0(.{20})", re.DOTALL)
_FOLDERS: Final = (b"40000", b"040000")


def lock_folders(objects: Objects, commits: Iterable[str]) -> tuple[bytes, ...]:
    """Return the folders that hold a lockfile in one of the commits' trees, and the root, sorted.

    `b""` is the root. Every distinct folder is read once.
    """
    known: dict[str, frozenset[bytes]] = {}
    found = {b""}
    for commit in commits:
        found |= _below(objects, _root(objects, commit), known)
    return tuple(sorted(found))


def _root(objects: Objects, commit: str) -> str:
    header = objects.read(commit)
    return header.removeprefix(b"tree ").partition(b"\n")[0].decode()


def _below(objects: Objects, tree: str, known: dict[str, frozenset[bytes]]) -> frozenset[bytes]:
    """Return the folders with lockfiles at and below a tree, by their paths from there."""
    if tree in known:
        return known[tree]
    levels: list[dict[str, list[tuple[bytes, str]]]] = []
    here: set[str] = set()
    wanted = {tree}
    while wanted:
        level: dict[str, list[tuple[bytes, str]]] = {}
        names = sorted(wanted)
        for oid, answer in zip(names, objects.find_all(names), strict=True):
            lines = _LINE.findall(answer[2]) if answer is not None else []
            level[oid] = [(name, raw.hex()) for mode, name, raw in lines if mode in _FOLDERS]
            if any(mode not in _FOLDERS and is_lockfile_name(name) for mode, name, _ in lines):
                here.add(oid)
        levels.append(level)
        wanted = {oid for lines in level.values() for _, oid in lines} - known.keys()
    for level in reversed(levels):  # what is below a folder is known before the folder is
        for oid, lines in level.items():
            below = {
                name + (b"/" + path if path else b"")
                for name, folder in lines
                for path in known[folder]
            }
            known[oid] = frozenset(below | ({b""} if oid in here else set()))
    return known[tree]
