"""What changed between two locks, in words: a line for each host, variable, pin or other field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from lockship.lock.diff import Difference

_PART: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[^.]+')
_LONGEST: Final = 100
# What a table's entries are called; `{}` is the entry's name.
_NAMED: Final = {
    "env": "variable {}",
    "secrets": "secret {}",
    "hosts": "host {}",
    "roles": "role {}",
    "accessories": "accessory {}",
    "tags": "tag {}",
    "hooks": "hook {}",
}
_SCALARS: Final = {
    "service.version": "version",
    "source.commit": "source commit",
    "source.tree": "content",
    "source.subject": "source commit's subject",
    "source.author": "source commit's author",
    "source.committed-at": "source commit's date",
    "image.tag": "image tag",
    "image.repository": "image name",
}
_LISTS: Final = {
    "hosts": "host {item}",
    "ports": "port {item}",
    "volumes": "volume {item}",
    "secrets": "secret {item}",
}

_HAVING: Final = ("roles", "accessories", "tags")  # what such lists are of


def in_words(found: Iterable[Difference]) -> list[str]:
    """Return what changed, a line for each; items of lists one by one."""
    return [line for each in found for line in _line(each)]


def _line(change: Difference) -> Iterator[str]:
    before, after = change.before, change.after
    path = [_bare(part) for part in _PART.findall(change.field)]
    if isinstance(before or after, list | tuple) and not _of_tables(before or after):
        yield from _items(path, before or (), after or ())
        return
    what = _what(path)
    verb = "changed"
    if path[:2] == ["build", "base"] and len(path) > 2:
        what, verb = f"base image {'.'.join(path[2:])}", "moved"
    if before is None:
        yield f"{what} added: {_text(after)}"
    elif after is None:
        yield f"{what} removed: it was {_text(before)}"
    else:
        yield f"{what} {verb}: {_text(before)} → {_text(after)}"


def _items(path: list[str], before: Any, after: Any) -> Iterator[str]:
    gone = [item for item in before if item not in after]
    come = [item for item in after if item not in before]
    of = _what(path[:-1]) if path[:-1] else ""
    for items, verb in ((come, "added to"), (gone, "removed from")):
        for item in items:
            named = _LISTS.get(path[-1]) if path[0] in _HAVING else None
            if named:
                yield f"{named.format(item=item)} {verb} {of}"
            else:
                yield f"{_text(item)} {verb} {_what(path)}"
    if not gone and not come:
        yield f"{_what(path)}: the same in another order"


def _what(path: list[str]) -> str:
    field = ".".join(path)
    if field in _SCALARS:
        return _SCALARS[field]
    if path[0] in _NAMED and len(path) > 1:
        name = _NAMED[path[0]].format(path[1])
        return name if len(path) == 2 else f"{_what(path[2:])} of {name}"
    return field


def _of_tables(value: Any) -> bool:
    return any(isinstance(item, dict) for item in value)


def _bare(part: str) -> str:
    return str(msgspec.json.decode(part)) if part.startswith('"') else part


def _text(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
