"""Deploy hooks: the scripts at `.lockship/hooks` in the tree that is locked, and here."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from lockship.errors import UsageError
from lockship.git import Repository
from lockship.gitobjects import FOLDER as TREE
from lockship.gitobjects import SUBMODULE, SYMLINK, Entry, Read, entries, find_entry, quoted
from lockship.lock.hooks import EXECUTABLE, NAMES, folders

_CLOSE: Final = 0.75
_ELF: Final = b"\x7fELF"
_LFS: Final = b"version https://git-lfs"
_KINDS: Final = {SYMLINK: "a symlink", SUBMODULE: "a submodule", TREE: "a folder"}
_PASSED_OVER: Final = (".sample", ".md", ".txt")  # what people put beside scripts


class Found(Struct, frozen=True):
    """The scripts of a tree, name to blob, and what a person should know of the files beside."""

    blobs: Mapping[str, str]
    notes: tuple[str, ...] = ()


def find(read: Read, root: str, below: str = "") -> Found:
    """Return the hooks in a tree, of the service in the folder `below`.

    Raises UsageError with everything that can't be one.
    """
    blobs: dict[str, str] = {}
    wrong: dict[str, str] = {}
    notes: list[str] = []
    for at, entry in _files(read, root, below):
        name = entry.name.decode(errors="replace")
        path = quoted(os.fsencode(at) + b"/" + entry.name)
        if name in NAMES:
            why, mend = _unfit(read, entry, f"{at}/{name}")
            if why:
                wrong[f"{path} {why}"] = mend
            else:
                blobs[name] = entry.id
        elif near := _nearest(name):
            wrong[f"{path} is no hook{near}"] = f"The hooks are: {', '.join(NAMES)}."
        elif not name.startswith(".") and not name.endswith(_PASSED_OVER):
            notes.append(f"{path} isn't a hook's name: it isn't locked, and nothing runs it.")
    if wrong:
        count = "A deploy hook" if len(wrong) == 1 else f"{len(wrong)} deploy hooks"
        hints = "\n".join(dict.fromkeys(wrong.values()))
        raise UsageError(f"{count} can't be locked.", details=list(wrong), hint=hints)
    return Found({name: blobs[name] for name in NAMES if name in blobs}, tuple(notes))


def _files(read: Read, root: str, below: str) -> Iterator[tuple[str, Entry]]:
    """Yield each file with its folder, the more particular folder's last."""
    for at in folders(below):
        folder = find_entry(read, root, os.fsencode(at))
        if folder is not None and folder.mode != TREE:
            kind = _KINDS.get(folder.mode, "a file")
            raise UsageError(
                f"{at} is {kind} in git.", hint="Make it a folder of scripts, or remove it."
            )
        if folder is not None:
            yield from ((at, entry) for entry in entries(read(folder.id)))


def _unfit(read: Read, entry: Entry, path: str) -> tuple[str, str]:
    """Return why an entry can't be run as a script, and what mends it; nothing where it can."""
    if not entry.is_file:
        kind = _KINDS.get(entry.mode, "something else")
        return f"is {kind} in git, not a script", f"Make {path} a regular file, and commit it."
    if f"{entry.mode:o}" != EXECUTABLE:
        words = f"`git update-index --chmod=+x {path}` and `chmod +x {path}`, then commit."
        return "isn't executable", words
    data = read(entry.id)
    if data.startswith(_LFS):
        return "is a Git LFS pointer", "Keep scripts out of Git LFS."
    first = data.partition(b"\n")[0]
    if not data.startswith((b"#!", _ELF)):
        return "doesn't say what runs it", "Begin it with a line such as `#!/bin/sh`."
    if first.startswith(b"#!") and first.endswith(b"\r"):
        return "has Windows line endings", f"Convert them: `sed -i 's/\\r$//' {path}`"
    return "", ""


def _nearest(name: str) -> str:
    """Return what a file was probably meant to be, as the end of a sentence; '' for none."""
    if name in ("pre-prepare", "post-prepare"):
        return ": prepare runs nothing of a repository"
    plain = name.lower().replace("_", "-").partition(".")[0]
    if name.endswith((".sample", ".md")):
        return ""
    near = difflib.get_close_matches(plain, NAMES, n=1, cutoff=_CLOSE)
    return f"; did you mean {near[0]}?" if near else ""


def in_working_tree(repository: Repository, below: str) -> Iterator[tuple[str, str | None]]:
    """Yield each hook that is here as a file, with the blob that git would make of it.

    None in place of a blob: it is no executable file.
    """
    places = [repository.root / folder for folder in reversed(folders(below))]
    for name in NAMES:
        path = next((at / name for at in places if os.path.lexists(at / name)), None)
        if path is not None:
            yield name, _blob(repository, path) if _is_script(path) else None


def _is_script(path: Path) -> bool:
    mode = path.lstat().st_mode
    return stat.S_ISREG(mode) and bool(mode & stat.S_IXUSR)


def _blob(repository: Repository, path: Path) -> str:
    name = path.relative_to(repository.root)
    return repository.run("hash-object", "--", str(name)).decode().strip()
