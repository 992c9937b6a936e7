"""Submodules: their content at the locked commit, nested ones too, as if it were folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lockship.build.clone import Clone
from lockship.build.gitrun import Git
from lockship.build.listing import Listing, is_submodule, list_tree, object_id, shown
from lockship.build.store import Store
from lockship.errors import RefusedError

_DEEPEST: Final = 20  # submodules in submodules; more is a mistake or an attack


@dataclass(frozen=True)
class Part:
    """One repository's share of the content: its tree, listed with `prefix` (and its slash)."""

    clone: Clone
    prefix: bytes
    tree: str
    listing: Listing


def parts(store: Store, part: Part, depth: int = 0) -> Iterator[Part]:
    """Yield `part` and those of its submodules; the store then borrows from each.

    Raises RefusedError where a submodule isn't here at the locked commit.
    """
    yield part
    links = [(path, object_id(head)) for path, head in part.listing.items() if is_submodule(head)]
    names = _names(store.git, part.tree) if links else {}
    for path, commit in links:
        if depth >= _DEEPEST:
            raise RefusedError(f"Submodules are nested too deep, at {shown(path)}.")
        inner = path.removeprefix(part.prefix)
        # Without an entry in .gitmodules only a `.git` folder of its own can hold it.
        clone = part.clone.submodule(names.get(inner, inner), inner)
        if clone is not None:
            store.borrow(clone.objects)
        if clone is None or not store.has(commit):
            raise RefusedError(
                f"The submodule {shown(path)} isn't here at its locked commit {commit[:12]}.",
                hint="Fetch it with `git submodule update --init --recursive`, then build again.",
            )
        tree = store.tree_of(commit)
        listing = list_tree(store.git, tree, path + b"/")
        yield from parts(store, Part(clone, path + b"/", tree, listing), depth + 1)


def _names(git: Git, tree: str) -> dict[bytes, bytes]:
    """Return path → name from the tree's own `.gitmodules` (gitmodules(5))."""
    asked = ("config", f"--blob={tree}:.gitmodules", "-z", "--get-regexp", r"^submodule\..*\.path$")
    found = {}
    for record in git.ask(*asked).stdout.split(b"\0")[:-1]:
        key, _, path = record.partition(b"\n")
        found[path] = key.removeprefix(b"submodule.").removesuffix(b".path")
    return found
