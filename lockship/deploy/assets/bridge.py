"""Bridging: files go from one container to another through this machine, never over one another.

What a container got from another is written down in it, so that it isn't passed on again: else
every version that ever was would be in the newest.
"""

from __future__ import annotations

import posixpath
import tarfile
import tempfile
from collections.abc import Collection
from contextlib import suppress
from typing import IO, Final

import msgspec

from lockship.deploy.assets.steps import BridgeAssets
from lockship.errors import LockshipError
from lockship.host.errors import HostError
from lockship.host.server import Server

_NOTED: Final = ("/.lockship", "assets.json")  # the folder, which only root may enter, and the file
_IN_MEMORY: Final = 16 << 20  # bytes of a container's assets; more of them go to a file


def bridge(server: Server, step: BridgeAssets) -> None:
    """Carry out the step. Raises LockshipError where the new container has no such folder."""
    new, old = server.inside(step.name), server.inside(step.old)
    folder = posixpath.dirname(step.path)
    with _file() as ours, _file() as theirs:
        # The engine packs a link as itself: what it leads to would silently be left out.
        if not new.pack(step.path, ours) or _is_link(ours):
            raise LockshipError(
                f"{server.name}: the image has no folder {step.path}, where its assets should be.",
                hint="Mend `assets` of the role in lockship.toml, then `lockship prepare`.",
            )
        if not old.pack(step.path, theirs):
            return
        here, there = _names(ours), _names(theirs)
        borrowed = there - here - _borrowed(server, step.old)
        if borrowed:
            with _file() as missing:
                _copy(theirs, missing, borrowed)
                _note(server, step.name, borrowed)
                new.unpack(folder, missing)
        lent = here - there
        # An old version that can't be written to serves its own pages all the same.
        with suppress(HostError), _file() as missing:
            if lent:
                _copy(ours, missing, lent)
                _note(server, step.old, lent)
                old.unpack(folder, missing)


def _file() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(_IN_MEMORY)


def _borrowed(server: Server, name: str) -> set[str]:
    data = server.inside(name).read(_NOTED[0]).get(_NOTED[1], b"[]")
    try:
        return set(msgspec.json.decode(data, type=list[str]))
    except msgspec.MsgspecError:
        return set()


def _note(server: Server, name: str, more: Collection[str]) -> None:
    """Write down what a container is about to get, beside what it got from others.

    Before it gets that: of a deploy that is killed in between, no file passes for its own.
    """
    noted = sorted(_borrowed(server, name).union(more))
    server.inside(name).put(_NOTED[0], {_NOTED[1]: msgspec.json.encode(noted)})


def _is_link(archive: IO[bytes]) -> bool:
    archive.seek(0)
    with tarfile.open(fileobj=archive, mode="r:") as packed:
        first = packed.next()
    return first is not None and first.issym()


def _names(archive: IO[bytes]) -> set[str]:
    """Return the paths of its regular files."""
    archive.seek(0)
    with tarfile.open(fileobj=archive, mode="r:") as packed:
        return {entry.name for entry in packed if entry.isreg()}


def _copy(archive: IO[bytes], into: IO[bytes], wanted: Collection[str]) -> None:
    """Write some regular files of an archive into another one, with the folders above them."""
    archive.seek(0)
    folders = {parent for name in wanted for parent in _above(name)}
    with (
        tarfile.open(fileobj=archive, mode="r:") as packed,
        tarfile.open(fileobj=into, mode="w:") as made,
    ):
        for entry in packed:
            if entry.isdir() and entry.name.rstrip("/") in folders:
                made.addfile(entry)
            elif entry.isreg() and entry.name in wanted:
                made.addfile(entry, packed.extractfile(entry))
    into.seek(0)


def _above(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
