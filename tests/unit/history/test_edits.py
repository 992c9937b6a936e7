"""Whatever single value of whatever lock is edited by hand, it is that field which is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockship.history.edits import edited_fields
from lockship.lock.fingerprint import NOT_HASHED, to_document
from lockship.lock.model import Lock
from lockship.lock.reader import UnsoundLockError, parse
from lockship.lock.shape import Path, dotted
from lockship.lock.writer import dump
from tests.unit.lock.strategies import LOCKS


def leaves(table: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    for key, value in table.items():
        if not path and key in NOT_HASHED:
            continue
        if isinstance(value, Mapping):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def edited(table: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the table with another value at a path, of the same kind."""
    key, value = str(path[0]), table[str(path[0])]
    return {**table, key: edited(value, path[1:]) if path[1:] else other(value)}


def other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return [*value, *value, "x"] if isinstance(value, list | tuple) else f"{value}x"


@settings(max_examples=40)
@given(lock=LOCKS, data=st.data())
def test_the_field_that_was_edited_is_named(lock: Lock, data: st.DataObject) -> None:
    sound = to_document(lock)
    path = data.draw(st.sampled_from(sorted(leaves(sound), key=str)))
    assert edited_fields(edited(sound, path), [sound]) == (dotted(path),)


@settings(max_examples=40)
@given(lock=LOCKS, data=st.data())
def test_no_edit_of_a_value_is_read(lock: Lock, data: st.DataObject) -> None:
    text = dump(lock).decode()
    lines = [n for n, line in enumerate(text.splitlines()) if line.endswith('"') and " = " in line]
    kept = text.splitlines()
    number = data.draw(st.sampled_from(lines))
    if kept[number].startswith(("key =", "image-id =", "digest =")):
        return  # an artifact's: no fingerprint is over it
    kept[number] = kept[number][:-1] + 'x"'
    with pytest.raises(UnsoundLockError):
        parse("\n".join(kept).encode() + b"\n", ".shiplock")
