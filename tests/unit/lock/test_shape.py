"""Everything wrong in a document is found, and nothing that msgspec itself lets through."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockship.lock.fingerprint import to_document
from lockship.lock.model import Lock
from lockship.lock.shape import Problem, convert, dotted, problems
from lockship.lock.table import Table
from tests.unit.lock.strategies import LOCKS, TEXT


class Small(Table, frozen=True):
    """A model for these tests."""

    name: str
    command: str | tuple[str, ...] = ()
    sizes: dict[str, int] = msgspec.field(default_factory=dict)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"name": "a", "command": ["b"], "sizes": {"c": 1}}, []),
        ({"name": "a", "command": "b"}, []),
        ({}, [Problem(("name",), "nothing", "a string")]),
        (
            {"nam": "a", "name": 1},
            [
                Problem(("nam",), "an unknown key", "'name'?"),
                Problem(("name",), "1", "a string"),
            ],
        ),
        (
            {"name": "a", "command": 3},
            [Problem(("command",), "3", "a string or a list, each a string")],
        ),
        ({"name": "a", "command": ["b", 3]}, [Problem(("command", 1), "3", "a string")]),
        (
            {"name": "a", "sizes": {"b": True, "c": 1, "d": 1.5}},
            [
                Problem(("sizes", "b"), "true", "a whole number"),
                Problem(("sizes", "d"), "1.5", "a whole number"),
            ],
        ),
        ({"name": {"x": 1}}, [Problem(("name",), "a table", "a string")]),
        ({"name": "a", "sizes": []}, [Problem(("sizes",), "a list", "a table")]),
        ([], [Problem((), "a list", "a table")]),
    ],
)
def test_problems(document: object, expected: list[Problem]) -> None:
    assert problems(document, Small) == expected


def test_dotted() -> None:
    assert dotted(("roles", "web", "hosts", 1)) == "roles.web.hosts[1]"
    assert dotted(("env", "a b", 'q"')) == 'env."a b"."q\\""'


SCALARS: st.SearchStrategy[Any] = (
    TEXT | st.integers() | st.floats() | st.booleans() | st.just([]) | st.just({})
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(LOCKS, st.data())
def test_it_agrees_with_msgspec(lock: Lock, data: st.DataObject) -> None:
    document: dict[str, Any] = to_document(lock)
    table: Any = document
    while True:  # down to any place, where a key is changed, added or taken away
        key = data.draw(st.sampled_from([*table, "new"]))
        below = table.get(key)
        if not isinstance(below, dict) or data.draw(st.booleans()):
            break
        table = below
    if data.draw(st.booleans()):
        table[key] = data.draw(SCALARS)
    else:
        table.pop(key, None)
    found = problems(document, Lock)
    try:
        expected = msgspec.convert(document, Lock)
    except msgspec.ValidationError:
        assert found
        assert convert(document, Lock) == (None, found)
    else:
        assert found == []
        assert convert(document, Lock) == (expected, [])
