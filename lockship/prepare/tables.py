"""Plain tables of a configuration, as the rules read them: of any shape, sound or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Tables = dict[str, Any]


Placed = Iterator[tuple[tuple[str, str], Tables]]


def roles(tables: Tables) -> Placed:
    """Yield each role that is a table, with its path."""
    return _named(tables, "roles")


def accessories(tables: Tables) -> Placed:
    """Yield each accessory that is a table, with its path."""
    return _named(tables, "accessories")


def containers(tables: Tables) -> Placed:
    """Yield all that becomes containers: roles, then accessories."""
    yield from roles(tables)
    yield from accessories(tables)


def hosts_of(tables: Tables, of: Tables) -> list[str]:
    """Return the hosts of a role or an accessory as they are written; it may name a role's."""
    role = of.get("role")
    named = table(table(tables.get("roles")).get(role)) if isinstance(role, str) else of
    return [text for _, text in strings(named.get("hosts"))]


def _named(tables: Tables, kind: str) -> Placed:
    for name, each in table(tables.get(kind)).items():
        if isinstance(each, dict):
            yield (kind, name), each


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
