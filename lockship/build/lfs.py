"""Git LFS: pointers recognised by their content, replaced by what they point to.

The pointer format: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from msgspec import Struct

from lockship.build.clone import Clone
from lockship.build.listing import shown
from lockship.build.store import Store
from lockship.errors import RefusedError

SMALLEST: Final = 120  # bytes: the three lines that every pointer has
LARGEST: Final = 1024  # bytes: git-lfs itself takes nothing longer for a pointer
_VERSION: Final = b"version https://git-lfs.github.com/spec/v1\n"
_OID = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.M)
_SIZE = re.compile(rb"^size ([0-9]{1,19})$", re.M)
_EXTENSION = re.compile(rb"^ext-", re.M)
_CHUNK: Final = 1 << 20


class Pointer(Struct, frozen=True):
    """What a pointer names: the SHA-256 of the content, and its size in bytes."""

    oid: str
    size: int
    plain: bool = True  # no extension changes the content on its way


def parse(blob: bytes) -> Pointer | None:
    """Return the pointer that `blob` is; None when it is any other content."""
    if not SMALLEST <= len(blob) <= LARGEST or not blob.startswith(_VERSION):
        return None
    oid, size = _OID.search(blob), _SIZE.search(blob)
    if oid is None or size is None:
        return None
    return Pointer(oid[1].decode(), int(size[1]), _EXTENSION.search(blob) is None)


def import_content(store: Store, clone: Clone, pointer: Pointer, path: bytes) -> str:
    """Write what `pointer` at `path` names into the store, checked; return the blob's git id.

    Raises RefusedError, with the path, where the content is neither here nor to be fetched.
    """
    name = shown(path)
    if not pointer.plain:
        raise RefusedError(
            f"{name} is stored in Git LFS with an extension, which lockship can't undo.",
            hint="Store it without the extension, or as a plain file.",
        )
    found = _find(clone, pointer) or _fetch(clone, pointer)
    if found is None:
        raise RefusedError(
            f"{name} is a Git LFS pointer, and its content ({pointer.oid[:12]}) isn't here.",
            hint="Fetch it with `git lfs fetch origin COMMIT`, then build again.",
        )
    with found.open("rb") as content:
        blob = _write(store, content, pointer)
    if blob is None:
        raise RefusedError(
            f"The Git LFS content of {name} is damaged: {found} is not what its name says.",
            hint=f"Remove it (`rm {found}`) and fetch it again: `git lfs fetch`.",
        )
    return blob


def _find(clone: Clone, pointer: Pointer) -> Path | None:
    for folder in _storages(clone):
        path = folder / "objects" / pointer.oid[:2] / pointer.oid[2:4] / pointer.oid
        if path.is_file():
            return path
    return None


def _storages(clone: Clone) -> Iterator[Path]:
    """Yield where LFS content may lie: `lfs.storage` (git-lfs-config(5)), then `lfs` in .git."""
    asked = clone.git.ask("config", "--type=path", "--get", "lfs.storage")
    if asked.returncode == 0:
        yield clone.common_dir / os.fsdecode(asked.stdout.removesuffix(b"\n"))
    for git_dir in reversed(clone.git_dirs):
        yield git_dir / "lfs"


def _fetch(clone: Clone, pointer: Pointer) -> Path | None:
    """Let git-lfs fetch the content into its own storage; None when it can't."""
    line = _VERSION + f"oid sha256:{pointer.oid}\nsize {pointer.size}\n".encode()
    try:
        subprocess.run(
            ["git", "lfs", "smudge"],
            cwd=clone.git.folder,
            env={**clone.git.env, "GIT_LFS_SKIP_SMUDGE": "0"},
            input=line,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return None
    return _find(clone, pointer)


def _write(store: Store, content: IO[bytes], pointer: Pointer) -> str | None:
    """Write content into a blob of the store; None where it isn't what the pointer names."""
    digest, size = hashlib.sha256(), 0
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    if digest.hexdigest() != pointer.oid or size != pointer.size:
        return None
    # git is given the file itself, which it maps or streams: memory stays the same for any size.
    content.seek(0)
    output = store.git.run("hash-object", "-w", "-t", "blob", "--stdin", stdin=content)
    return output.decode().strip()
