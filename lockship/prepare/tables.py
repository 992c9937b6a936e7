"""Plain tables of a configuration, as the rules read them: of any shape, sound or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Tables = dict[str, Any]


def roles(tables: Tables) -> Iterator[tuple[tuple[str, str], Tables]]:
    """Yield each role that is a table, with its path."""
    for name, role in table(tables.get("roles")).items():
        if isinstance(role, dict):
            yield ("roles", name), role


def table(value: object) -> Tables:
    """Return a table; an empty one where there is none."""
    return value if isinstance(value, dict) else {}


def strings(value: object) -> Iterator[tuple[int, str]]:
    """Yield a list's strings, each with its place; none where it is no list."""
    items = value if isinstance(value, list) else []
    yield from ((index, item) for index, item in enumerate(items) if isinstance(item, str))


def quoted(text: str) -> str:
    """Write a value as a message shows it."""
    return f'"{text}"' if text.isprintable() else repr(text)
