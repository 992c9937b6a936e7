"""A Dockerfile's instructions, each with the places in the file that its characters come from.

Lines are joined and heredocs passed over as BuildKit does it: github.com/moby/buildkit,
frontend/dockerfile/parser (parser.go, directives.go). The work is linear in the file's length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lockship.dockerfile.heredoc import heredocs

# Go's unicode.IsSpace; Python's own white space is a little more.
SPACE: Final = "\t\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    chr(code) for code in range(0x2000, 0x200B)
)
BLANK: Final = "\t\v\f\r "  # what parts the words of an instruction
BOM: Final = "\ufeff"
_DIRECTIVE: Final = re.compile(r"([A-Za-z][A-Za-z0-9]*)[ \t\v\f\r]*=[ \t\v\f\r]*(?=[^ \t\v\f\r])")
_KNOWN: Final = frozenset({"escape", "syntax", "check"})
_WITH_HEREDOC: Final = frozenset({"ADD", "COPY", "RUN"})


@dataclass(frozen=True)
class Text:
    """A piece of a file, put together from what may be several lines.

    `at[i]` is where in the file character `i` of `text` is; `line` the first one's line, from 1.
    """

    text: str
    at: tuple[int, ...]
    line: int

    def part(self, start: int, end: int) -> Text:
        """Return the characters from `start` up to `end`."""
        return Text(self.text[start:end], self.at[start:end], self.line)

    def trimmed(self, space: str = SPACE) -> Text:
        """Return it without the white space at both ends."""
        start = len(self.text) - len(self.text.lstrip(space))
        return self.part(start, max(start, len(self.text.rstrip(space))))

    def split(self) -> tuple[Text, Text]:
        """Return the first word and the rest, trimmed."""
        whole = self.trimmed()
        end = next((i for i, char in enumerate(whole.text) if char in BLANK), len(whole.text))
        return whole.part(0, end), whole.part(end, len(whole.text)).trimmed()


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name in capitals, and the rest. `onbuild`: it's one for later builds."""

    name: str
    rest: Text
    onbuild: bool = False


@dataclass(frozen=True)
class Directive:
    """A line such as `# syntax=docker/dockerfile:1` at a file's beginning."""

    name: str
    value: Text


def directives(text: str, mark: str = "#", *, program: bool = False) -> Iterator[Directive]:
    """Yield the parser directives: comments of a fixed form, before anything else.

    `mark` begins one. `program`: a first line `#!...` doesn't count.
    """
    offset = 1 if text.startswith(BOM) else 0
    for number, raw in enumerate(text[offset:].split("\n"), start=1):
        if not (program and number == 1 and raw.startswith("#!")):
            line = raw.lstrip(SPACE)
            said = line.removeprefix(mark).lstrip(SPACE)
            found = _DIRECTIVE.match(said) if line.startswith(mark) else None
            if found is None or found[1].lower() not in _KNOWN:
                return
            value = said[found.end() :]
            begin = offset + len(raw) - len(value)
            value = value.rstrip(SPACE)
            yield Directive(found[1].lower(), Text(value, _range(begin, value), number))
        offset += len(raw) + 1


def escape_character(text: str) -> str:
    """Return what continues a line: a backslash, unless a directive says a backtick."""
    found = (each.value.text for each in directives(text) if each.name == "escape")
    return "`" if next(found, "") == "`" else "\\"


def instructions(text: str) -> Iterator[Instruction]:
    """Yield the instructions in order. What is wrong in a file is for its builder to say."""
    continued = _continued(escape_character(text))
    lines = _Lines(text)
    for line in lines:
        joined = _join(line, lines, continued)
        if joined is None:
            continue
        word, rest = joined.split()
        onbuild = word.text.upper() == "ONBUILD"
        if onbuild:
            word, rest = rest.split()
        found = Instruction(word.text.upper(), rest, onbuild)
        yield found
        if found.name in _WITH_HEREDOC and not _is_json(found.rest.text):
            for heredoc in heredocs(joined.text):
                lines.skip_to(heredoc.name, tabs=heredoc.tabs)


class _Lines:
    """The lines of a file one after another, each with its place; taken by whoever needs one."""

    def __init__(self, text: str) -> None:
        self._offset = 1 if text.startswith(BOM) else 0
        self._rest = iter(text[self._offset :].split("\n"))
        self._number = 0

    def __iter__(self) -> Iterator[Text]:
        for raw in self._rest:
            line = raw.removesuffix("\r")
            self._number += 1
            found = Text(line, _range(self._offset, line), self._number)
            self._offset += len(raw) + 1
            yield found

    def skip_to(self, name: str, *, tabs: bool) -> None:
        for line in self:
            if (line.text.lstrip("\t") if tabs else line.text) == name:
                return


def _join(first: Text, lines: _Lines, continued: re.Pattern[str]) -> Text | None:
    """Return an instruction that begins here, with the lines that continue it; None: no such."""
    start = first.trimmed()
    if start.text.startswith("#"):
        return None
    # Trimmed on the left only: white space behind the last character has its meaning.
    begin = len(first.text) - len(first.text.lstrip(SPACE))
    pieces, more = [], _without_mark(first.part(begin, len(first.text)), continued)
    if more is None:
        return start if start.text else None
    pieces.append(more)
    for line in lines:
        content = line.text.lstrip(SPACE)
        if not content or content.startswith("#"):
            continue
        more = _without_mark(line, continued)
        pieces.append(line if more is None else more)
        if more is None:
            break
    text = "".join(piece.text for piece in pieces)
    at = tuple(place for piece in pieces for place in piece.at)
    return Text(text, at, first.line)


def _without_mark(line: Text, continued: re.Pattern[str]) -> Text | None:
    """Return a line without the mark that the next one continues it; None where it has none."""
    stripped = line.text.rstrip(" \t")
    found = continued.search(stripped)
    return line.part(0, found.end() - 1) if found else None


def _continued(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    return re.compile(rf"(?<!{mark}){mark}\Z")


def _is_json(rest: str) -> bool:
    """Tell whether what follows the flags is a list in JSON: then no heredoc is in it."""
    if '"' not in rest or not rest.endswith("]"):
        return False
    try:
        found = json.loads(rest[rest.index("[") :])
    except (ValueError, RecursionError):
        return False
    return all(isinstance(each, str) for each in found)


def _range(begin: int, text: str) -> tuple[int, ...]:
    return tuple(range(begin, begin + len(text)))
