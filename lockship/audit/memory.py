"""What the audit remembers between two runs: files in the user's cache folder.

A file that is damaged, or of another lockship, is ignored and written anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from lockship import __version__
from lockship.git import Repository

_T = TypeVar("_T")
_CHECKSUM: Final = 32  # bytes in front: a flipped bit may still be a name, or a date
_FORMAT: Final = 4  # of what is remembered; another one is another file


def load(
    cache: Path | None,
    repository: Repository,
    tips: Sequence[str],
    *,
    everywhere: bool,
    kind: type[_T],
) -> _T | None:
    """Return what is remembered of this repository; None where that is nothing, or unreadable."""
    path = _path(cache, repository, tips, everywhere=everywhere)
    if path is None:
        return None
    try:
        data = path.read_bytes()
        checksum, data = data[:_CHECKSUM], data[_CHECKSUM:]
        if checksum != hashlib.sha256(data).digest():
            return None
        return msgspec.msgpack.decode(data, type=kind)
    except (OSError, msgspec.MsgspecError, ValueError):
        return None


def save(
    cache: Path | None,
    repository: Repository,
    tips: Sequence[str],
    *,
    everywhere: bool,
    value: object,
) -> None:
    """Remember; what can't be written (a full disk, a read-only home) is done without."""
    path = _path(cache, repository, tips, everywhere=everywhere)
    if path is None:
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                data = msgspec.msgpack.encode(value)
                file.write(hashlib.sha256(data).digest() + data)
            os.replace(temporary, path)  # noqa: PTH105 - the two are names in one folder
        except BaseException:
            os.unlink(temporary)  # noqa: PTH108
            raise


def _path(
    cache: Path | None, repository: Repository, tips: Sequence[str], *, everywhere: bool
) -> Path | None:
    """One file for one branch, one for all; None where nothing may be remembered.

    In a shallow clone what a commit changed depends on where the history is cut off.
    """
    if cache is None or repository.shallow:
        return None
    scope = (
        f"{__version__} {_FORMAT} {'everywhere' if everywhere else 'here'} {min(len(tips), 2)}\0"
    )
    digest = hashlib.sha256(scope.encode() + os.fsencode(repository.common_dir)).hexdigest()
    return cache / f"{digest[:24]}.msgpack"
