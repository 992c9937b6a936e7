"""Text without secrets: their values, and what usual encodings make of them, are taken out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from lockship.secrets.encodings import dense, forms
from lockship.secrets.grams import LEAST_RUN, Grams

HIDDEN: Final = "[hidden]"
LEAST: Final = 4
"""Characters that something has to have to be taken out: what is shorter is in every text."""
LARGEST: Final = 1 << 14
"""Bytes of a value whose parts are known too; of a larger one only the whole and its lines are."""


class Mask:
    """Takes values out of text, in whatever of their encodings they stand there. Immutable.

    Text may come line by line: what a program wrapped shows parts of a value, which go as well.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        values = frozenset(values)
        small = {value for value in values if len(value) <= LARGEST}
        found = {form for value in small for form in forms(value)}
        large = {form for value in values - small for form in forms(value)}
        parts = {word for value in small for word in dense(value)}
        self._text = _Words(found, large, parts)
        bytewise = [{_bytewise(form) for form in some} for some in (found, large)]
        same = bytewise == [found, large]
        self._bytes = self._text if same else _Words(bytewise[0], bytewise[1], parts)

    def text(self, text: str) -> str:
        """Return `text` with `[hidden]` in place of every secret."""
        return self._text.hidden_in(text)

    def data(self, data: bytes) -> bytes:
        """Return `data` with `[hidden]` in place of every secret."""
        return self._bytes.hidden_in(data.decode("latin-1")).encode("latin-1")


class _Words:
    """Words that are taken out of text, and `parts` of which the parts are.

    Most text holds none of them, which one look at it tells, unless there are `large` ones.
    """

    def __init__(self, words: set[str], large: set[str], parts: set[str]) -> None:
        # The longest first: of two that begin alike, the shorter would leave the rest to be seen.
        ordered = sorted(words | large, key=lambda word: (-len(word), word))
        self._long = [word for word in ordered if len(word) >= LEAST_RUN]
        short = [re.escape(word) for word in ordered if LEAST <= len(word) < LEAST_RUN]
        self._short = re.compile("|".join(short)) if short else None
        self._large = bool(large)
        self._grams = Grams({word for word in words if len(word) >= LEAST_RUN} | parts)
        self._parts = Grams(parts)

    def hidden_in(self, text: str) -> str:
        if self._large or self._grams.may_be_in(text):
            for word in self._long:
                if word in text:
                    text = text.replace(word, HIDDEN)
            text = self._parts.without(text, HIDDEN)
        return self._short.sub(HIDDEN, text) if self._short else text


def _bytewise(text: str) -> str:
    """Return text as its bytes look one by one."""
    return text.encode(errors="surrogateescape").decode("latin-1")
