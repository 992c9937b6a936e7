"""Git trees as flat listings, and new trees made from them.

A listing maps each path below a tree to its *head*, the front of its line in `git ls-tree`:
`100644 blob ID`, `120000 blob ID` (a symlink), `040000 tree ID`, `160000 commit ID` (a submodule).
Heads stay bytes: parsing 50,000 of them costs more than git needs to list them.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from lockship.build.gitrun import Git

ROOT: Final = b""
EMPTY_TREE: Final = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's, for SHA-1

Listing = dict[bytes, bytes]


def list_tree(git: Git, treeish: str, prefix: bytes = ROOT) -> Listing:
    """Return everything below a tree or commit; `prefix` (with its slash) goes before each path."""
    output = git.run("ls-tree", "-r", "-t", "-z", "--full-tree", treeish)
    listing = {}
    for record in output.split(b"\0")[:-1]:
        head, _, path = record.partition(b"\t")
        listing[prefix + path] = head
    return listing


def is_file(head: bytes) -> bool:
    """Whether it is a regular file, executable or not: no symlink."""
    return head.startswith(b"100")


def is_submodule(head: bytes) -> bool:
    """Whether it is another repository's commit."""
    return head.startswith(b"160")


def object_id(head: bytes) -> str:
    """Return the id of the object."""
    return head[-40:].decode()


def base_name(path: bytes) -> bytes:
    """Return the last part of a path."""
    return path.rpartition(b"/")[2]


def shown(path: bytes) -> str:
    """Return a path as messages show it: in quotes, odd bytes escaped."""
    return repr(os.fsdecode(path))


def rewrite(git: Git, listing: Mapping[bytes, bytes], edits: Mapping[bytes, bytes | None]) -> str:
    """Write the tree that is `listing` with other heads (None: removed) at some paths.

    Only the folders on the way to an edit are written anew. A folder that becomes empty vanishes,
    as git has none. Returns the tree's id.
    """
    affected = {ROOT} | {folder for path in edits for folder in _folders_above(path)}
    children: dict[bytes, dict[bytes, bytes]] = defaultdict(dict)
    for path, head in listing.items():
        folder = path.rpartition(b"/")[0]
        if folder in affected:
            edited = edits.get(path, head)
            if edited is not None:
                children[folder][path] = edited
    tree = EMPTY_TREE
    for depth in sorted({_depth(folder) for folder in affected}, reverse=True):
        level = sorted(folder for folder in affected if _depth(folder) == depth)
        for folder, tree in zip(level, _make_trees(git, [children[f] for f in level]), strict=True):
            siblings = children[folder.rpartition(b"/")[0]]
            if folder != ROOT and children[folder]:
                siblings[folder] = b"040000 tree " + tree.encode()
            elif folder != ROOT:
                siblings.pop(folder, None)
    return tree


def _make_trees(git: Git, folders: list[dict[bytes, bytes]]) -> list[str]:
    records = []
    for folder in folders:
        records += [b"%b\t%b\0" % (head, base_name(path)) for path, head in folder.items()]
        records.append(b"\0")
    # --missing: in a partial clone git has promised the objects, and mktree would fetch each one.
    made = git.run("mktree", "-z", "--batch", "--missing", stdin=b"".join(records))
    return made.decode().split()


def _folders_above(path: bytes) -> list[bytes]:
    parts = path.split(b"/")[:-1]
    return [b"/".join(parts[:count]) for count in range(len(parts) + 1)]


def _depth(folder: bytes) -> int:
    return folder.count(b"/") + 1 if folder else 0
