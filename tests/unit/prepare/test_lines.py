"""The line of every key in a TOML text."""

from __future__ import annotations

import tomllib
from typing import Any

import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockship.lock.shape import Path
from lockship.prepare.lines import key_lines

TEXT = '''\
# a comment with [brackets] and "quotes"
a = 1
"b c".'d' = """
[not.a.table]
"""   # and a comment, "too"

[one.two]
list = [
  "x", # ]
  [1, 2],
  { k = 1, "l" = "}" },
]
when = 1979-05-27T07:32:00Z
[[items]]
n = \'\'\'it's \'\'\'\'
[[items]]
n = 2
[items.sub]
m = "\\"]"
'''


def test_lines() -> None:
    tomllib.loads(TEXT)
    found = key_lines(TEXT)
    expected: dict[Path, int] = {
        ("a",): 2,
        ("b c",): 3,
        ("b c", "d"): 3,
        ("one",): 7,
        ("one", "two"): 7,
        ("one", "two", "list"): 8,
        ("one", "two", "list", 0): 9,
        ("one", "two", "list", 1): 10,
        ("one", "two", "list", 1, 0): 10,
        ("one", "two", "list", 1, 1): 10,
        ("one", "two", "list", 2): 11,
        ("one", "two", "list", 2, "k"): 11,
        ("one", "two", "list", 2, "l"): 11,
        ("one", "two", "when"): 13,
        ("items",): 14,
        ("items", 0): 14,
        ("items", 0, "n"): 15,
        ("items", 1): 16,
        ("items", 1, "n"): 17,
        ("items", 1, "sub"): 18,
        ("items", 1, "sub", "m"): 19,
    }
    assert found == expected


def paths(value: Any, path: Path = ()) -> set[Path]:
    below: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        below = list(value.items())
    elif isinstance(value, list):
        below = list(enumerate(value))
    found = {path} if path else set()
    return found.union(*(paths(item, (*path, key)) for key, item in below))


scalars = st.one_of(
    st.text(st.characters(codec="utf-8")), st.integers(-9, 9), st.booleans(), st.floats(-1, 1)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.text(st.characters(codec="utf-8")), values, max_size=4))
def test_every_key_of_any_document_has_a_line(document: dict[str, Any]) -> None:
    text = tomlkit.dumps(document)
    assert set(key_lines(text)) == paths(tomllib.loads(text))
