"""Variables and quotes in a word, replaced as BuildKit does (frontend/dockerfile/shell/lex.go)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_NAME: Final = re.compile(r"[0-9]+|[@*#?$!-]|[^\W\d]\w*")
_DEEPEST: Final = 20
_LONGEST: Final = 4096  # an ARG may be made of others: ten lines of doubling are a thousand times


class ExpandError(ValueError):
    """A word that can't be expanded; the text says why."""


def expand(word: str, values: Mapping[str, str], escape: str) -> str:
    """Return a word with its variables replaced and its quotes taken away.

    A variable without a value is empty. Raises ExpandError for what is no word, what lockship
    doesn't expand (`${NAME#...}`, `%`, `/`), and what becomes absurdly long.
    """
    result, end = _Expansion(word, values, escape).until("", 0, 0)
    del end
    return result


class _Expansion:
    def __init__(self, word: str, values: Mapping[str, str], escape: str) -> None:
        self._word = word
        self._values = values
        self._escape = escape

    def until(self, stop: str, at: int, depth: int) -> tuple[str, int]:
        """Expand from `at` to the character `stop` ('': to the end); return the place behind."""
        if depth > _DEEPEST:
            raise ExpandError("it is nested too deeply")
        made: list[str] = []
        length = 0
        while at < len(self._word):
            char = self._word[at]
            if char == stop:
                return "".join(made), at + 1
            if char == "'":
                piece, at = self._single(at)
            elif char == '"':
                piece, at = self._double(at, depth)
            elif char == "$":
                piece, at = self._dollar(at, depth)
            elif char == self._escape:
                piece, at = self._word[at + 1 : at + 2], at + 2
            else:
                piece, at = char, at + 1
            made.append(piece)
            length += len(piece)
            if length > _LONGEST:
                raise ExpandError(f"it becomes longer than {_LONGEST} characters")
        if stop:
            raise ExpandError(f"a {stop!r} is missing")
        return "".join(made), at

    def _single(self, at: int) -> tuple[str, int]:
        end = self._word.find("'", at + 1)
        if end < 0:
            raise ExpandError("a single quote isn't closed")
        return self._word[at + 1 : end], end + 1

    def _double(self, at: int, depth: int) -> tuple[str, int]:
        made, at = "", at + 1
        while at < len(self._word):
            char = self._word[at]
            if char == '"':
                return made, at + 1
            if char == "$":
                piece, at = self._dollar(at, depth)
                made += piece
                continue
            after = self._word[at + 1 : at + 2]
            if char == self._escape and after in ('"', "$", self._escape):
                char, at = after, at + 1
            made, at = made + char, at + 1
        raise ExpandError("a double quote isn't closed")

    def _dollar(self, at: int, depth: int) -> tuple[str, int]:
        if self._word[at + 1 : at + 2] != "{":
            found = _NAME.match(self._word, at + 1)
            return (self._values.get(found[0], ""), found.end()) if found else ("$", at + 1)
        found = _NAME.match(self._word, at + 2)
        if found is None:
            raise ExpandError("a name is missing in '${}'")
        name, at = found[0], found.end()
        value = self._values.get(name)
        operator = re.compile(r":?[-+?]|\}|").match(self._word, at)
        assert operator is not None  # noqa: S101 - it matches nothing as well
        if operator[0] == "}":
            return value or "", at + 1
        if not operator[0]:
            raise ExpandError(f"lockship expands no '${{{name}{self._word[at : at + 1]}...}}'")
        word, end = self.until("}", operator.end(), depth + 1)
        absent = value is None or (operator[0].startswith(":") and not value)
        kind = operator[0][-1]
        if kind == "?" and absent:
            raise ExpandError(f"{name}: {word or 'it has no value'}")
        if kind == "+":
            return ("" if absent else word), end
        return (word if absent and kind == "-" else value or ""), end
