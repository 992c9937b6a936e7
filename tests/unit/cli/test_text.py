"""Foreign text can't make a terminal do anything, and stays readable."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockship.cli.text import json_visible, visible

DANGEROUS = {"Cc", "Cf", "Cs", "Zl", "Zp"}
JOINERS = "\u200c\u200d"
ANY = st.text(alphabet=st.characters(exclude_categories=[]))  # surrogates too


@given(ANY)
def test_nothing_that_a_terminal_obeys_is_left(value: str) -> None:
    shown = visible(value)
    assert all(unicodedata.category(c) not in DANGEROUS for c in shown if c not in JOINERS)
    shown.encode()  # and it can be printed


@given(st.binary())
def test_any_bytes_can_be_shown(value: bytes) -> None:
    shown = visible(value)
    assert all(unicodedata.category(c) not in DANGEROUS for c in shown if c not in JOINERS)
    shown.encode()


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs", "M"])))
def test_ordinary_text_is_left_as_it_is(value: str) -> None:
    assert visible(value) == value


@given(ANY)
def test_showing_twice_changes_nothing_more(value: str) -> None:
    assert visible(visible(value)) == visible(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x9b31m", r"\x9b31m"),
        ("safe\u202etxt.exe", r"safe\u202etxt.exe"),
        ("\u2066isolate\u2069", r"\u2066isolate\u2069"),
        ("two\nlines\r\t", r"two\nlines\r\t"),
        ("\x7f\x00", r"\x7f\x00"),
        ("\U000e0041", r"\U000e0041"),
        ("café 船 👩\u200d🚀", "café 船 👩\u200d🚀"),
        (b"caf\xc3\xa9 \xff\xfe", r"café \xff\xfe"),
        ("caf\udce9", r"caf\xe9"),  # a file's name as Python gives it
        ("\ud800", r"\ud800"),
    ],
)
def test_examples(value: str | bytes, shown: str) -> None:
    assert visible(value) == shown


def test_what_is_kept_is_kept() -> None:
    assert visible("a\tb\x1b", keep="\t") == "a\tb\\x1b"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_json_is_the_same_data_and_safe(value: str) -> None:
    shown = json_visible(json.dumps({"value": value}, ensure_ascii=False).encode())
    assert json.loads(shown) == {"value": value}
    assert all(unicodedata.category(c) not in DANGEROUS for c in shown if c not in JOINERS)
