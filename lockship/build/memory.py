"""What a build folder remembers, so that the next build looks only at what changed.

All of it follows from content, so a memory that is lost or unreadable costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from lockship.build.lfs import Pointer


class Memory(msgspec.Struct):
    """`scanned`: for each repository (by its prefix) the tree that was last searched for pointers.

    `pointers`: the blobs found to be LFS pointers; `contents`: LFS ids and the blobs of the store
    that hold what they name.
    """

    scanned: dict[str, str] = {}
    pointers: dict[str, Pointer] = {}
    contents: dict[str, str] = {}


def load(base: Path) -> Memory:
    """Return what is remembered in `base`; nothing where that can't be read."""
    try:
        return msgspec.json.decode((base / "memory.json").read_bytes(), type=Memory)
    except (OSError, msgspec.MsgspecError):
        return Memory()


def save(base: Path, memory: Memory) -> None:
    """Remember for the next build."""
    temporary = base / "memory.json~"
    temporary.write_bytes(msgspec.json.encode(memory))
    os.replace(temporary, base / "memory.json")  # noqa: PTH105 - the two are names in one folder


def forget(base: Path) -> None:
    """Remember nothing."""
    with contextlib.suppress(FileNotFoundError):
        (base / "memory.json").unlink()
