"""Here-documents in an instruction: which are begun, and by what they end.

As BuildKit finds them (frontend/dockerfile/parser/parser.go, heredocsFromLine): among the words
that a shell would see, those of the form `<<NAME`, `<<-NAME`, `3<<"NAME"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_BEGUN: Final = re.compile(r"\d*<<(-?)([^<]+)")


@dataclass(frozen=True)
class Heredoc:
    """A here-document that ends with the line `name`; `tabs` in front of it don't count."""

    name: str
    tabs: bool


def heredocs(line: str) -> list[Heredoc]:
    """Return those that a line begins, in order."""
    if "<<" not in line:
        return []
    found = (_BEGUN.fullmatch(word) for word in _words(line))
    named = ((each[1] == "-", _unquoted(each[2])) for each in found if each)
    return [Heredoc(name, tabs) for tabs, name in named if name]


def _words(line: str) -> list[str]:
    """Split as a shell would, quotes kept; no words at all where a quote isn't closed."""
    words: list[str] = []
    word, at = "", 0
    while at < len(line):
        char = line[at]
        if char == "\\":
            word += line[at : at + 2]
            at += 2
        elif char in "'\"":
            end = _closing(line, at)
            if end is None:
                return []
            word += line[at : end + 1]
            at = end + 1
        elif char.isspace():
            words += [word] if word else []
            word, at = "", at + 1
        else:
            word += char
            at += 1
    return [*words, word] if word else words


def _closing(line: str, at: int) -> int | None:
    """Return where the quote that opens at `at` closes; in double quotes a backslash escapes."""
    quote, at = line[at], at + 1
    while at < len(line):
        if line[at] == quote:
            return at
        at += 2 if quote == '"' and line[at] == "\\" else 1
    return None


def _unquoted(text: str) -> str:
    return "".join(_plain(text))


def _plain(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        char = text[at]
        if char in "'\"" and (end := _closing(text, at)) is not None:
            yield text[at + 1 : end]
            at = end + 1
        elif char == "\\":
            yield text[at + 1 : at + 2]
            at += 2
        else:
            yield char
            at += 1
