"""What must hold between variables: of `[env]`, of roles, of tags, and of `[secrets]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lockship.lock.shape import Path, Problem
from lockship.prepare import hosts
from lockship.prepare.tables import Tables, quoted, roles, strings, table

RESERVED_ENV: Final = frozenset({"LOCKSHIP_VERSION", "LOCKSHIP_SERVICE"})


def check(tables: Tables) -> Iterator[Problem]:
    """Yield what breaks a rule of variables and tags."""
    for path, env in _variables(tables):
        for name in env:
            if name in RESERVED_ENV:
                yield Problem((*path, name), "this name", "another one: lockship sets it itself")
    yield from _in_secrets_too(tables)
    yield from _tags(tables)


def _variables(tables: Tables) -> Iterator[tuple[Path, Tables]]:
    """Yield each table of clear variables, with its path."""
    yield ("env",), table(tables.get("env"))
    for path, role in roles(tables):
        yield (*path, "env"), table(role.get("env"))
    for name, tag in table(tables.get("tags")).items():
        yield ("tags", name, "env"), table(table(tag).get("env"))


def _in_secrets_too(tables: Tables) -> Iterator[Problem]:
    for name in table(tables.get("secrets")):
        for path, env in _variables(tables):
            if name in env:
                found = f"this name in [{'.'.join(map(str, path))}] too"
                yield Problem(("secrets", name), found, "a name in one of the two tables")


def _tags(tables: Tables) -> Iterator[Problem]:
    """A tag's hosts are those of roles, and no two tags tell a host different things."""
    known = set(_host_names(tables))
    said: dict[tuple[str, str], str] = {}
    for name, tag in table(tables.get("tags")).items():
        seen: set[str] = set()
        for index, host in strings(table(tag).get("hosts")):
            at = ("tags", name, "hosts", index)
            if host in seen:
                yield Problem(at, f"{quoted(host)} again", "each host once in a tag")
            elif host not in known:
                expected = "a host of some role, by its name alone"
                yield Problem(at, quoted(host), expected)
            seen.add(host)
        for variable in table(table(tag).get("env")):
            others = {said.setdefault((host, variable), name) for host in sorted(seen)} - {name}
            for other in sorted(others):
                expected = f"another variable: tag {other} says it for one of its hosts too"
                yield Problem(("tags", name, "env", variable), "this name", expected)


def _host_names(tables: Tables) -> Iterator[str]:
    for _, role in roles(tables):
        for _, text in strings(role.get("hosts")):
            try:
                yield hosts.parse(text).name
            except ValueError:
                continue  # of which another rule complains
