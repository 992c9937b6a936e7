"""Environment variables: plain, or under `clear`, `secret` and `tags`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from lockship.prepare.kamal.source import Reader, text

_PARTS: Final = {"clear", "secret", "tags"}


@dataclass(frozen=True)
class Env:
    """Clear variables, names of secrets, and the same by tag."""

    clear: dict[str, str]
    secret: list[str]
    tags: dict[str, Env]


def read(reader: Reader) -> Env:
    """Read a table of variables, whichever way it is written."""
    parts = _PARTS & set(reader.tables)
    found: Any = reader.take("clear", {}) if parts else reader.tables
    clear = {key: text(value) for key, value in found.items()} if isinstance(found, dict) else {}
    secret = [text(each) for each in reader.each("secret")]
    tagged = reader.below("tags")
    tags = {name: read(tagged.below(name)) for name in tagged.tables}
    if not parts:
        reader.taken |= set(reader.tables)
    return Env(clear, secret, tags)
