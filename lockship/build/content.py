"""Which tree is built: the locked one, with submodules and Git LFS content in their places."""

from __future__ import annotations

import os
from collections.abc import Mapping

from lockship.build import lfs
from lockship.build.attributes import judge_filters
from lockship.build.clone import Clone
from lockship.build.listing import (
    ROOT,
    Listing,
    base_name,
    is_file,
    list_tree,
    object_id,
    rewrite,
)
from lockship.build.memory import Memory
from lockship.build.scan import scan
from lockship.build.store import Store
from lockship.build.submodules import Part, parts
from lockship.errors import RefusedError
from lockship.lock.model import Lock
from lockship.lock.names import LOCKFILE_NAME, is_lockfile_name
from lockship.lockedblobs import fetching
from lockship.selection import touches


def assemble(store: Store, clone: Clone, lock: Lock, memory: Memory) -> str:
    """Return the tree to build from; what it needs besides borrowed objects is in the store.

    Raises RefusedError where an object that the lock names isn't here, or isn't what it says.
    """
    locked = _locked_part(store, clone, lock)
    found = list(parts(store, locked))
    listing: Listing = {}
    for part in found:
        listing |= part.listing
    mounted: dict[bytes, bytes | None] = {
        part.prefix.removesuffix(b"/"): b"040000 tree " + part.tree.encode() for part in found[1:]
    }
    tree = rewrite(store.git, listing, mounted) if mounted else locked.tree
    for part in found:
        scan(store, part, memory)
    kept = judge_filters(store, tree, listing)
    edits = _lfs_edits(store, found, listing, memory, kept)
    return rewrite(store.git, listing, {**mounted, **edits}) if edits else tree


def _locked_part(store: Store, clone: Clone, lock: Lock) -> Part:
    """Return the locked commit's content tree, compared with the one that the lock names."""
    commit = lock.source.snapshot or lock.source.commit
    if not store.has(commit):
        raise _missing(lock)
    # In a treeless partial clone only git in the user's repository can fetch the trees.
    listing = list_tree(clone.git if clone.promisor() else store.git, commit)
    candidates = [path for path in listing if LOCKFILE_NAME.encode() in path]
    out = {p for p in candidates if is_lockfile_name(base_name(p)) and is_file(listing[p])}
    if lock.source.paths:
        paths = [os.fsencode(path) for path in lock.source.paths]
        out |= {path for path in listing if not touches(paths, path)}
    root = store.tree_of(commit)
    tree = rewrite(store.git, listing, dict.fromkeys(sorted(out))) if out else root
    if tree != lock.source.tree:
        raise RefusedError(
            f"The lock's tree {lock.source.tree[:12]} is not that of its commit {commit[:12]}"
            f" ({tree[:12]}).",
            hint="Take the committed lock back, or write a new one: `lockship prepare`.",
        )
    for path in out:
        del listing[path]
    return Part(clone, ROOT, tree, listing)


def _missing(lock: Lock) -> RefusedError:
    if lock.source.snapshot:
        return RefusedError(
            f"The snapshot {lock.source.snapshot[:12]} that the lock was forced with isn't here.",
            hint=f"Fetch it: {fetching(lock)}.",
        )
    return RefusedError(
        f"The locked commit {lock.source.commit[:12]} isn't in this clone.",
        hint=f"Fetch it: {fetching(lock)}, then build again.",
    )


def _lfs_edits(
    store: Store, found: list[Part], listing: Listing, memory: Memory, kept: frozenset[bytes]
) -> Mapping[bytes, bytes | None]:
    """Return the heads of Git LFS files, with the ids of blobs that hold what is pointed to."""
    if not memory.pointers:
        return {}
    sizes = store.sizes(memory.contents.values())
    present = {blob for blob, size in sizes if size is not None}
    edits: dict[bytes, bytes | None] = {}
    for path, head in listing.items():
        pointer = memory.pointers.get(object_id(head))
        if pointer is None or path in kept or not is_file(head):
            continue
        blob = memory.contents.get(pointer.oid, "")
        if blob not in present:
            # The innermost repository around it comes last.
            owner = [part for part in found if path.startswith(part.prefix)][-1]
            blob = lfs.import_content(store, owner.clone, pointer, path)
            memory.contents[pointer.oid] = blob
            present.add(blob)
        edits[path] = head[:-40] + blob.encode()
    return edits
