"""The lockship.toml in the making: what was carried over from where, and what was left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from lockship.lock.shape import dotted
from lockship.prepare.kamal.source import MARK, KeyPath, Reader


class Left(Struct, frozen=True):
    """A key of Kamal's that isn't carried over as it is, and why or what is different."""

    key: str
    why: str


@dataclass
class Draft:
    """`tables` are lockship.toml's; `origins` tells from which key of Kamal's each one comes."""

    tables: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, KeyPath] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)

    def put(self, path: KeyPath, value: Any, origin: KeyPath | None = None) -> None:
        """Set a key, making the tables above it. What Ruby would have given is left instead."""
        if MARK in str(value):
            self.leave(origin or path, "Ruby (ERB) isn't run: say here what it gives")
        table = self.tables
        for part in path[:-1]:
            table = table.setdefault(part, {})
        table[path[-1]] = value
        if origin is not None:
            self.origins.setdefault(path, origin)

    def add(self, path: KeyPath, values: Iterable[Any], origin: KeyPath | None = None) -> None:
        """Add to a list, each value once."""
        known = list(self.get(path) or ())
        self.put(path, list(dict.fromkeys([*known, *values])), origin)

    def get(self, path: KeyPath) -> Any:
        """Return what was set; None where nothing was."""
        found: Any = self.tables
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def leave(self, path: KeyPath, why: str) -> None:
        """Name a key that isn't carried over, or not as it was."""
        self.left.append(Left(dotted(path), why))

    def leave_if(self, reader: Reader, key: str, why: str) -> None:
        """Name a key, if it is there."""
        if reader.take(key) is not None:
            self.leave(reader.at(key), why)

    def leave_rest(self, reader: Reader) -> None:
        """Name what nobody asked for: lockship knows no such key of Kamal's."""
        for key, _ in reader.rest():
            if not key.startswith("x-"):  # Kamal's own way to say: not for Kamal
                self.leave(reader.at(key), "this key isn't known")
