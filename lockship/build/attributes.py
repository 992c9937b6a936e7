"""Which files go through a git filter, by the locked tree's own `.gitattributes`."""

from __future__ import annotations

import os
from typing import Final

from lockship.build.listing import Listing, base_name, is_file, object_id, shown
from lockship.build.store import Store
from lockship.errors import RefusedError

# What `git check-attr` says: no filter, in four ways, and Git LFS, which lockship knows itself.
_ACCEPTED: Final = (b"lfs", b"unspecified", b"unset", b"set", b"")


def judge_filters(store: Store, tree: str, listing: Listing) -> frozenset[bytes]:
    """Return the paths whose attributes say `-filter`: they stay as they are, even LFS pointers.

    Raises RefusedError where a file has another filter than LFS's: its blob isn't what the
    developer sees, and what they see depends on their configuration.
    """
    named = [path for path in listing if path.endswith(b".gitattributes")]
    files = [p for p in named if base_name(p) == b".gitattributes" and is_file(listing[p])]
    blobs = store.blobs([object_id(listing[path]) for path in files]) if files else ()
    if not any(b"filter" in blob for _, blob in blobs):
        return frozenset()
    env = {"GIT_INDEX_FILE": str(store.git_dir / "attributes.index")}
    store.git.run("read-tree", tree, env=env)
    paths = b"".join(path + b"\0" for path, head in listing.items() if is_file(head))
    asked = ("check-attr", "--cached", "-z", "--stdin", "filter")
    fields = store.git.run(*asked, stdin=paths, env=env).split(b"\0")[:-1]
    values = dict(zip(fields[::3], fields[2::3], strict=True))
    for path, value in values.items():
        if value not in _ACCEPTED:
            raise RefusedError(
                f"{shown(path)} goes through the git filter {os.fsdecode(value)!r},"
                " which lockship can't apply.",
                hint="Commit the file as the image needs it, without that filter.",
            )
    return frozenset(path for path, value in values.items() if value == b"unset")
