"""Look through blobs that are new since the last build: are they all here, are any LFS pointers?"""

from __future__ import annotations

import os
from collections.abc import Sequence

from lockship.build import lfs
from lockship.build.listing import object_id, shown
from lockship.build.memory import Memory
from lockship.build.store import Store
from lockship.build.submodules import Part
from lockship.errors import RefusedError


def scan(store: Store, part: Part, memory: Memory) -> None:
    """Remember the LFS pointers among the part's blobs, and fetch what a partial clone lacks.

    Raises RefusedError where a blob is nowhere.
    """
    key = os.fsdecode(part.prefix)
    sizes = dict(store.sizes(_new_blobs(store, memory.scanned.get(key), part)))
    missing = [each for each, size in sizes.items() if size is None]
    if missing:
        part.clone.fetch(missing)
        sizes |= dict(store.sizes(missing))
        _refuse_missing([each for each in missing if sizes[each] is None], part)
    small = [each for each, size in sizes.items() if size and lfs.SMALLEST <= size <= lfs.LARGEST]
    for blob_id, blob in store.blobs(small):
        pointer = lfs.parse(blob)
        if pointer is not None:
            memory.pointers[blob_id] = pointer
    memory.scanned[key] = part.tree


def _new_blobs(store: Store, before: str | None, part: Part) -> list[str]:
    if before is not None:
        done = store.git.ask("diff-tree", "-r", "-z", "--no-renames", before, part.tree)
        if done.returncode == 0:
            # `:100644 100755 OLD NEW M` NUL `path` NUL, as in git-diff-tree(1), "raw output"
            heads = [record.split(b" ") for record in done.stdout.split(b"\0")[:-1:2]]
            new = [head[3].decode() for head in heads if head[1][:2] in (b"10", b"12")]
            return list(dict.fromkeys(new))
    heads_of_blobs = (head for head in part.listing.values() if head[7:11] == b"blob")
    return list(dict.fromkeys(object_id(head) for head in heads_of_blobs))


def _refuse_missing(missing: Sequence[str], part: Part) -> None:
    if missing:
        path = next(p for p, head in part.listing.items() if object_id(head) == missing[0])
        raise RefusedError(
            f"{shown(path)} can't be read: git has no object {missing[0][:12]} here.",
            hint="The clone is damaged: see `git fsck`, then fetch or clone again.",
        )
