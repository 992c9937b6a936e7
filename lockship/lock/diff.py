"""Compare two locks field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from lockship.lock.fingerprint import NOT_HASHED, to_document
from lockship.lock.model import Lock
from lockship.lock.shape import Path, dotted


class Difference(Struct, frozen=True, rename="kebab"):
    """One field that differs; None on the side where it isn't."""

    field: str
    before: Any
    after: Any


def differences(before: Lock | None, after: Lock) -> tuple[Difference, ...]:
    """Return the fields in which two locks differ, in the file's order; `[artifact]` aside."""
    old = to_document(before) if before is not None else {}
    new = to_document(after)
    for name in NOT_HASHED:
        old.pop(name, None)
        new.pop(name, None)
    return tuple(_compare(old, new, ()))


def _compare(before: Any, after: Any, path: Path) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in (*before, *(key for key in after if key not in before)):
            yield from _compare(before.get(key), after.get(key), (*path, key))
    elif isinstance(before, Mapping) and before:
        yield from _compare(before, {}, path)
    elif isinstance(after, Mapping) and after:
        yield from _compare({}, after, path)
    elif before != after:
        yield Difference(dotted(path), before, after)
