"""What must hold of `[mirrors]`."""

from __future__ import annotations

from collections.abc import Iterator

from lockship.lock.reference import HUB, parse_reference
from lockship.lock.shape import Problem
from lockship.prepare.tables import Tables, quoted, table


def check(tables: Tables) -> Iterator[Problem]:
    """Yield what breaks a rule of mirrors: each is another registry, and Hub is `docker.io`."""
    for registry, mirror in table(tables.get("mirrors")).items():
        named = parse_reference(f"{registry}/x")
        if named is not None and named.domain != registry:
            yield Problem(("mirrors", registry), "this name", f"{quoted(named.domain)}: one name")
        there = parse_reference(f"{mirror}/x") if isinstance(mirror, str) else None
        if there is not None and there.domain == registry:
            expected = f"another registry than {registry}"
            yield Problem(("mirrors", registry), quoted(str(mirror)), expected)
        elif there is not None and there.domain == HUB:
            yield Problem(("mirrors", registry), quoted(str(mirror)), "a mirror's own name")
