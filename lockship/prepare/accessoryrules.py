"""What must hold between the values of `[accessories.NAME]`, and between them and the roles.

What holds for roles as well (hosts, ports, commands, labels, secrets) is in `rules`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from lockship.lock.shape import Path, Problem
from lockship.prepare.tables import Tables, accessories, quoted, strings, table

_EVERY: Final = "all"  # what the command line calls all of them


def check(tables: Tables) -> Iterator[Problem]:
    """Yield what breaks a rule of accessories."""
    for path, accessory in accessories(tables):
        if path[1] == _EVERY:
            yield Problem(path, "this name", f"another one: '{_EVERY}' means all accessories")
        if path[1] in table(tables.get("roles")):
            yield Problem(path, "a role's name", "a name of its own: containers are found by it")
        yield from _place(tables, path, accessory)
        yield from _files(path, accessory)
        env = table(accessory.get("env"))
        for index, name in strings(accessory.get("secrets")):
            if name in env:
                at = (*path, "secrets", index)
                yield Problem(at, f"{quoted(name)} in env too", "a name in one of the two")


def _place(tables: Tables, path: Path, accessory: Tables) -> Iterator[Problem]:
    """It runs on hosts, or on those of a role."""
    role = accessory.get("role")
    if "hosts" in accessory and "role" in accessory:
        yield Problem((*path, "role"), "this beside hosts", "one of the two")
    elif "hosts" not in accessory and "role" not in accessory:
        yield Problem((*path, "hosts"), "nothing", "hosts, or the role on whose hosts it runs")
    elif isinstance(role, str) and role not in table(tables.get("roles")):
        known = ", ".join(table(tables.get("roles")))
        yield Problem((*path, "role"), quoted(role), f"one of the roles: {known}")


def _files(path: Path, accessory: Tables) -> Iterator[Problem]:
    """No two files are at one path in the container, and none where a volume is mounted.

    Into a container whose root is read-only the engine puts none.
    """
    options = table(accessory.get("options"))
    if accessory.get("files") and options.get("read-only") is True:
        yield Problem((*path, "options", "read-only"), "true", "false, because of the files")
    taken = {each.split(":")[1] for _, each in strings(accessory.get("volumes")) if ":" in each}
    for index, text in strings(accessory.get("files")):
        target = posixpath.normpath(text.rpartition(":")[2])
        if target in taken:
            at = (*path, "files", index)
            yield Problem(at, quoted(text), "a path in the container of its own")
        taken.add(target)
