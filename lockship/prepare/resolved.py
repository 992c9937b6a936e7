"""What a configuration comes to, and where each value of it is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from lockship.git import Repository
from lockship.lock.place import path_below, service_folder
from lockship.lock.shape import Path as Keys
from lockship.lock.shape import dotted
from lockship.prepare import documents, snapshot, source
from lockship.prepare.apart import apart
from lockship.prepare.complaint import Document
from lockship.prepare.config import Config, judge
from lockship.prepare.configfiles import config_files, config_paths
from lockship.prepare.documents import UNSET
from lockship.prepare.lines import key_lines
from lockship.prepare.tables import strings

Lines = dict[Keys, int]


class Value(Struct, frozen=True):
    """One value of a configuration; no `file` and `line`: nobody says it, it is the default."""

    key: str
    value: Any
    file: str | None
    line: int | None


class Resolved(Struct, frozen=True):
    """A configuration as `prepare` would read it.

    `commit` is HEAD. `differ` are the files that are otherwise in the working tree; with `forced`
    it was that one which was read.
    """

    commit: str
    forced: bool
    differ: tuple[str, ...]
    values: tuple[Value, ...]


def resolve(start: Path, *, destination: str | None, force: bool) -> Resolved:
    """Read the configuration in HEAD, or with `force` in the working tree, and write nothing.

    Raises as `prepare` does: RefusedError, UsageError for a wrong configuration, LockshipError.
    """
    repository = Repository.discover(start)
    here = service_folder(start, repository.root, destination)
    folder = path_below(repository.root, here)
    names = config_paths(folder, destination)
    with ExitStack() as ending:
        env = ending.enter_context(apart(repository))
        objects = ending.enter_context(repository.objects(env))
        head = source.head(objects)
        words = ("status", "--porcelain", "-z", "--no-renames", "--ignored", "--", *names)
        lines = repository.run(*words).decode(errors="replace").split("\0")
        differ = tuple(name for name in names if any(line[3:] == name for line in lines))
        tree = snapshot.write_tree(repository, head.id, env) if force and differ else head.tree
        read = documents.read(config_files(objects.read, tree, folder, destination))
    return Resolved(head.id, force, differ, tuple(values(judge(read), read)))


def values(config: Config, read: Sequence[Document]) -> Iterator[Value]:
    """Yield each value of a configuration, in the model's order; nothing of what is absent.

    Nothing in a list is a value where a file says so: it isn't always the default.
    """
    lines = {document.name: key_lines(document.text) for document in read}
    for path, value in _leaves(msgspec.to_builtins(config), ()):
        file = _sayer(path, read, lines)
        if file is not None or value not in ((), []):
            yield Value(dotted(path), value, file, lines[file][path] if file else None)


def _sayer(path: Keys, read: Sequence[Document], lines: Mapping[str, Lines]) -> str | None:
    """Return the file whose word on a key holds: the last one, up to where it is unset."""
    for document in reversed(read):
        if path in lines[document.name]:
            return document.name
        unset = [documents.key_path(text) for _, text in strings(document.tables.get(UNSET))]
        if any(gone == path[: len(gone)] for gone in unset if gone):
            return None
    return None


def _leaves(value: Any, path: Keys) -> Iterator[tuple[Keys, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif value is not None:
        yield path, value
