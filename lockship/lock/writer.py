"""Write a `.shiplock`: stable in order, small in diffs, atomically (law 7).

Comments that a person put above a table or a key are kept when the file is written again.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import Any, Final

import tomlkit

from lockship.errors import LockshipError, RefusedError
from lockship.lock.fingerprint import sealed, to_document
from lockship.lock.model import Lock
from lockship.lock.reader import MAX_BYTES

__all__ = ["dump", "sealed", "write"]

HEADER: Final = (
    "# Written by `lockship prepare`. Commit it; change lockship.toml instead of editing it.\n"
)
INLINE_LIST: Final = 80  # characters up to which a list stays on one line


def dump(lock: Lock, before: str | None = None) -> bytes:
    """Return the lockfile's bytes. `before` is the text whose comments are kept."""
    comments = _comments(before) if before is not None else {}
    lines = [] if comments.get(()) else [HEADER]
    _write_table(lines, to_document(lock), (), comments)
    return "".join(lines).encode()


def toml(tables: dict[str, Any], comments: dict[tuple[str, ...], list[str]]) -> str:
    """Return tables as TOML, in the lockfile's own manner; `comments` are lines above keys."""
    lines: list[str] = []
    _write_table(lines, tables, (), comments)
    return "".join(lines).lstrip("\n")


_Path = tuple[str, ...]


def _comments(text: str) -> dict[_Path, list[str]]:
    """Return the comment lines directly above each key and table header.

    Works on lines: what a lock holds in several lines is only lists, whose lines are indented.
    """
    found: dict[_Path, list[str]] = {}
    pending: list[str] = []
    table: _Path = ()
    # Not splitlines(): for it a character in a value, such as U+0085, ends a line too.
    for line in text.split("\n"):
        if line.lstrip(" \t").startswith("#"):
            pending.append(line.rstrip(" \t\r") + "\n")
            continue
        path = _path_of(line, table)
        if path is not None:
            if line.startswith("["):
                table = path
            if pending:
                found[path] = pending
            pending = []
    header = found.get(("lock-version",))
    if header:
        found[()] = header
    return found


def _path_of(line: str, table: _Path) -> _Path | None:
    if not line or line[0] in " \t]":
        return None
    try:
        document = tomlkit.parse(line if line.startswith("[") else line.partition(" = ")[0] + "=0")
    except tomlkit.exceptions.TOMLKitError:
        return None
    path: list[str] = []
    level: Any = document
    while isinstance(level, dict) and len(level) == 1:
        key = next(iter(level))
        path.append(str(key))
        level = level[key]
    return tuple(path) if line.startswith("[") else (*table, *path)


def _write_table(
    lines: list[str], table: dict[str, Any], path: _Path, comments: dict[_Path, list[str]]
) -> None:
    """Write plain keys first, then the tables below: a header ends the keys of what is above."""
    for key, value in table.items():
        if not isinstance(value, dict):
            lines += comments.get((*path, key), [])
            lines.append(f"{_key(key)} = {_value(value)}\n")
    for key, value in table.items():
        if isinstance(value, dict):
            below = (*path, key)
            holds_keys = not value or any(not isinstance(v, dict) for v in value.values())
            if holds_keys:
                lines.append("\n")
                lines += comments.get(below, [])
                lines.append(f"[{'.'.join(_key(part) for part in below)}]\n")
            _write_table(lines, value, below, comments)


def _key(key: str) -> str:
    return tomlkit.key([key]).as_string()


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        items = [_value(item) for item in value]
        inline = f"[{', '.join(items)}]"
        if len(inline) <= INLINE_LIST:
            return inline
        return "[\n" + "".join(f"    {item},\n" for item in items) + "]"
    return str(tomlkit.item(value).as_string())


def write(path: Path, lock: Lock) -> bool:
    """Write `lock` to `path` atomically, mode kept; return whether the file changed.

    Raises RefusedError where `path` is no regular file or the lock would be too large to read,
    LockshipError where it can't be written.
    """
    before = _read_before(path)
    data = dump(lock, before.decode(errors="replace") if before is not None else None)
    if len(data) > MAX_BYTES:
        raise RefusedError(
            f"The lock would be {len(data)} bytes; at most {MAX_BYTES} are allowed.",
            hint="Shorten what lockship.toml says; large files belong into the image.",
        )
    if data == before:
        return False
    try:
        _replace(path, data)
    except OSError as error:
        raise LockshipError(
            f"{path} can't be written: {error.strerror}.",
            hint="Nothing was changed; make room or allow writing in this folder and repeat.",
        ) from error
    return True


def _read_before(path: Path) -> bytes | None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    # A symlink or a folder in the lockfile's place could lead a write out of the repository.
    if not stat.S_ISREG(mode):
        raise RefusedError(
            f"{path} is not a regular file.", hint="Remove it, then `lockship prepare`."
        )
    return path.read_bytes()


def _replace(path: Path, data: bytes) -> None:
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask()
    descriptor, temporary = tempfile.mkstemp(prefix=f"{path.name}.", suffix="~", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105 - the two are names in one folder
    except BaseException:
        os.unlink(temporary)  # noqa: PTH108
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
