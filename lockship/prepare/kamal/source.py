"""Kamal's YAML: its values, its comments, and on which of its keys somebody has looked.

Ruby in it (ERB) isn't run: what it would give stands as a mark, and is named.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from lockship.errors import UsageError

KeyPath = tuple[str, ...]
MARK: Final = "RUBY-ISN'T-RUN"
_MOST: Final = 1 << 20  # bytes
_NODES: Final = 20_000  # values, those that aliases repeat counted each time


@dataclass(frozen=True)
class Document:
    """A file's tables, and the comment lines above each key and behind it."""

    name: str
    tables: dict[str, Any]
    comments: Mapping[KeyPath, tuple[str, ...]]


def read(path: Path) -> Document:
    """Read a file. Raises UsageError where it isn't there or isn't YAML with a table in it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}.") from error
    if len(data) > _MOST:
        raise UsageError(f"{path} is larger than 1 MiB: it's no configuration of Kamal's.")
    text = _without_ruby(data.decode(errors="replace"))
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_bomb(path, node)
        tables = yaml.safe_load(text)
    # PyYAML lets the last three through, for a value that isn't of the kind that its tag says.
    except (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError) as error:
        raise UsageError(
            f"{path} is no YAML that can be read.", details=str(error).splitlines()[:6]
        ) from error
    if not isinstance(tables, dict):
        raise UsageError(f"{path} holds no table: it's no configuration of Kamal's.")
    return Document(path.name, plain(tables), dict(_comments(node, text.splitlines())))


def _without_ruby(text: str) -> str:
    """Return text with a mark in place of what Ruby would give (`<%= ... %>`)."""
    made: list[str] = []
    at = 0
    while (begin := text.find("<%", at)) >= 0 and (end := text.find("%>", begin + 2)) >= 0:
        made += [text[at:begin], MARK if text.startswith("<%=", begin) else ""]
        at = end + 2
    return "".join([*made, text[at:]])


def _refuse_bomb(path: Path, node: yaml.Node | None) -> None:
    """Raise UsageError where aliases of aliases would make more than any configuration has."""
    left = _NODES
    waiting = [node]
    while waiting:
        each = waiting.pop()
        left -= 1
        if left < 0:
            raise UsageError(f"{path} holds too many values: it's no configuration of Kamal's.")
        if isinstance(each, yaml.MappingNode):
            waiting += [part for pair in each.value for part in pair]
        elif isinstance(each, yaml.SequenceNode):
            waiting += each.value


def plain(value: Any) -> Any:
    """Return tables with keys that are text, as YAML's often are not (`80: 80`, `on: true`)."""
    if isinstance(value, dict):
        return {text(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value


def text(value: Any) -> str:
    """Write a scalar as an environment variable has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def words(value: Any) -> list[str] | None:
    """Split a command as a shell does; None where a quote isn't closed."""
    try:
        return shlex.split(text(value))
    except ValueError:
        return None


def _comments(
    node: yaml.Node | None, lines: list[str]
) -> Iterator[tuple[KeyPath, tuple[str, ...]]]:
    waiting: list[tuple[KeyPath, yaml.Node | None]] = [((), node)]
    while waiting:
        path, each = waiting.pop()
        if not isinstance(each, yaml.MappingNode):
            continue
        for key, value in each.value:
            below = (*path, str(key.value))
            found = _above(lines, key.start_mark.line) + _behind(lines, key, value)
            if found:
                yield below, found
            waiting.append((below, value))


def _above(lines: list[str], at: int) -> tuple[str, ...]:
    found: list[str] = []
    while at > 0 and lines[at - 1].lstrip().startswith("#"):
        at -= 1
        found.insert(0, lines[at].strip())
    return tuple(found)


def _behind(lines: list[str], key: yaml.Node, value: yaml.Node) -> tuple[str, ...]:
    """Return the comment at the end of a key's line, where its value ends on it or below."""
    line = lines[key.start_mark.line] if key.start_mark.line < len(lines) else ""
    same = value.end_mark.line == key.start_mark.line
    rest = line[value.end_mark.column if same else key.end_mark.column + 1 :]
    found = re.fullmatch(r"\s*(#.*)", rest)
    return (found[1].strip(),) if found else ()


@dataclass
class Reader:
    """A table, and which of its keys were asked for: `rest` are the others."""

    tables: dict[str, Any]
    path: KeyPath = ()
    taken: set[str] = field(default_factory=set)

    def at(self, key: str) -> KeyPath:
        """Return a key's path from the top."""
        return (*self.path, key)

    def take(self, key: str, default: Any = None) -> Any:
        """Return a key's value, and remember that it was asked for."""
        self.taken.add(key)
        found = self.tables.get(key)
        return default if found is None else found

    def below(self, key: str) -> Reader:
        """Return a table below, an empty one where there is none."""
        found = self.take(key)
        return Reader(found if isinstance(found, dict) else {}, self.at(key))

    def each(self, key: str) -> list[Any]:
        """Return a list; a single value is a list of one."""
        found = self.take(key)
        return found if isinstance(found, list) else [] if found is None else [found]

    def rest(self) -> Iterator[tuple[str, Any]]:
        """Yield the keys that nobody asked for, with their values."""
        yield from ((key, value) for key, value in self.tables.items() if key not in self.taken)
