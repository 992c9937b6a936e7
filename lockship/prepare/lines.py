"""Find the line of every key in a TOML text, for messages.

tomllib and tomlkit both forget where a key stood. The text here has been parsed by tomllib
before, so this only skips over values and never judges them (https://toml.io/en/v1.0.0).
"""

from __future__ import annotations

import re
import tomllib
from typing import Final

from lockship.lock.shape import Path

_SPACE: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY: Final = re.compile(r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')""")
_STRING: Final = re.compile(
    r'"{3}(?:[^\\]|\\.)*?"{3,5}(?!")' r"|'{3}.*?'{3,5}(?!')" r'|"(?:[^"\\]|\\.)*"' r"|'[^']*'",
    re.DOTALL,
)
_SCALAR: Final = re.compile(r"[^,\]}\n#]+")


def key_lines(text: str) -> dict[Path, int]:
    """Return the first line (from 1) of each key, table, list item and inline key in valid TOML."""
    return _Scanner(text).scan()


class _Scanner:
    """One pass over a text: where it is, and the lines found so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.items: dict[Path, int] = {}  # how many [[tables]] of a name there are

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        self._skip()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip()
        return self.lines

    def _header(self) -> Path:
        double = self.text.startswith("[[", self.at)
        begin = self.at
        self.at += 2 if double else 1
        names = self._key()
        path: Path = ()
        for position, name in enumerate(names):
            path = (*path, name)
            last = position == len(names) - 1
            if last and double:
                self.items[path] = self.items.get(path, 0) + 1
            self._note(path, begin)
            if path in self.items:  # a name of a list of tables means its last one
                path = (*path, self.items[path] - 1)
                self._note(path, begin)
        self.at = self.text.index("]]" if double else "]", self.at) + (2 if double else 1)
        return path

    def _pair(self, table: Path) -> None:
        begin = self.at
        path = table
        for name in self._key():
            path = (*path, name)
            self._note(path, begin)
        self.at = self.text.index("=", self.at) + 1
        self._value(path)

    def _key(self) -> list[str]:
        names: list[str] = []
        while True:
            self._skip()
            found = _KEY.match(self.text, self.at)
            if found is None:
                return names
            names.append(next(iter(tomllib.loads(f"{found[0]}=0"))))
            self.at = found.end()
            self._skip()
            if not self.text.startswith(".", self.at):
                return names
            self.at += 1

    def _value(self, path: Path) -> None:
        self._skip()
        opening = self.text[self.at]
        if opening == "[":
            self._items(path)
        elif opening == "{":
            self._inline(path)
        else:
            found = _STRING.match(self.text, self.at) or _SCALAR.match(self.text, self.at)
            self.at = found.end() if found else self.at + 1

    def _items(self, path: Path) -> None:
        self.at += 1
        index = 0
        while not self._closed("]"):
            self._note((*path, index), self.at)
            self._value((*path, index))
            index += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        while not self._closed("}"):
            self._pair(path)

    def _closed(self, end: str) -> bool:
        self._skip()
        if self.text.startswith(",", self.at):
            self.at += 1
            self._skip()
        closed = self.at >= len(self.text) or self.text[self.at] == end
        self.at += closed
        return closed

    def _skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _note(self, path: Path, at: int) -> None:
        self.lines.setdefault(path, self.text.count("\n", 0, at) + 1)
