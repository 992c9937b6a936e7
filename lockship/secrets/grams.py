"""Where in a text something of some long words may be, found without looking at every word.

A gram is a few characters that stand together. Every run of LEAST_RUN characters of a word has one
at one of the places that are looked at, so that most lines cost a look at every few characters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

LEAST_RUN: Final = 12
_LENGTH: Final = 8
_STRIDE: Final = LEAST_RUN - _LENGTH + 1


class Grams:
    """The grams of some words. Immutable."""

    def __init__(self, words: Iterable[str]) -> None:
        self._all = frozenset(
            word[at : at + _LENGTH] for word in words for at in range(len(word) - _LENGTH + 1)
        )

    def may_be_in(self, text: str) -> bool:
        """Whether there may be LEAST_RUN characters of a word; where there are, it is true."""
        grams = self._all
        for at in range(0, len(text) - _LENGTH + 1, _STRIDE):
            if text[at : at + _LENGTH] in grams:
                return True
        return False

    def without(self, text: str, hidden: str) -> str:
        """Return `text` with `hidden` in place of each LEAST_RUN characters of a word, or more."""
        grams = self._all
        kept: list[str] = []
        done = at = 0
        last = len(text) - _LENGTH
        while at <= last:
            if text[at : at + _LENGTH] not in grams:
                at += _STRIDE
                continue
            begin = end = at
            while begin > done and text[begin - 1 : begin - 1 + _LENGTH] in grams:
                begin -= 1
            while end < last and text[end + 1 : end + 1 + _LENGTH] in grams:
                end += 1
            end += _LENGTH
            if end - begin < LEAST_RUN:
                at += _STRIDE
                continue
            kept += (text[done:begin], hidden)
            done = at = end
        return "".join((*kept, text[done:])) if kept else text
