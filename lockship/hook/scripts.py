"""The locked scripts of deploy hooks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from lockship.lock.model import Lock
from lockship.lockedblobs import read_blobs


def read(root: Path, lock: Lock, without: Collection[str] = ()) -> Mapping[str, bytes]:
    """Return the content of every hook that the lock names, by its name, all but `without`.

    Raises RefusedError where one isn't in the repository at `root`, or where there is none: a
    deploy without its hooks would be another one than was locked.
    """
    blobs = lock.hooks.blobs if lock.hooks else {}
    wanted = {name: blob for name, blob in blobs.items() if name not in without}
    return read_blobs(root, lock, "deploy hooks", wanted)
