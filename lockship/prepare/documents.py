"""The files of a configuration, and laying them over each other."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from lockship.errors import UsageError
from lockship.lock.shape import Path, Problem
from lockship.prepare.complaint import Document
from lockship.prepare.tables import Tables, quoted, strings

UNSET = "unset"


def read(files: Mapping[str, bytes]) -> tuple[Document, ...]:
    """Return the files (name to content), parsed. Raises UsageError for what is no TOML."""
    return tuple(_document(name, data) for name, data in files.items())


def laid_over(documents: Sequence[Document]) -> tuple[Tables, list[Problem]]:
    """Return the documents, each laid over those before it, and what is wrong with `unset`.

    Tables are merged key by key, everything else is replaced; what a document unsets is taken
    away from those before it first.
    """
    merged: Tables = {}
    found: list[Problem] = []
    for place, document in enumerate(documents):
        for index, text in strings(document.tables.get(UNSET)):
            path = key_path(text)
            if not place:
                expected = "no `unset` here: it is for a destination's file"
                found.append(Problem((UNSET, index), quoted(text), expected))
            elif path is None or not _take_away(merged, path):
                expected = "a key that lockship.toml says, such as 'roles.web.ports'"
                found.append(Problem((UNSET, index), quoted(text), expected))
        merged = merge(merged, document.tables)
    return merged, found


def merge(below: Tables, above: Tables) -> Tables:
    """Return `above` laid over `below`: tables key by key, everything else replaced."""
    result = dict(below)
    for key, value in above.items():
        old = below.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = merge(old, value)
        else:
            result[key] = value
    return result


def key_path(text: str) -> tuple[str, ...] | None:
    """Return the parts of a dotted key as TOML writes it; None where it is none."""
    try:
        level: Any = tomllib.loads(f"{text} = 0")
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    path: list[str] = []
    while isinstance(level, dict) and len(level) == 1:
        ((key, level),) = level.items()
        path.append(key)
    return tuple(path) if level == 0 else None


def _take_away(tables: Tables, path: Path) -> bool:
    """Remove a key from tables that are this function's to change; False where it isn't there."""
    *above, last = path
    for key in above:
        inner = tables.get(str(key))
        if not isinstance(inner, dict):
            return False
        tables[str(key)] = tables = dict(inner)
    return tables.pop(str(last), None) is not None


def _document(name: str, data: bytes) -> Document:
    try:
        text = data.decode()
        return Document(name, text, tomllib.loads(text))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}:{line}: this is not UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{name} is not valid TOML: {error}.", hint="The format: https://toml.io/en/v1.0.0"
        ) from error
    except RecursionError as error:
        raise UsageError(f"{name} is nested too deeply.") from error
