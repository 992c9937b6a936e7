"""What must hold of a role's assets."""

from __future__ import annotations

from collections.abc import Iterator

from lockship.lock.shape import Problem
from lockship.prepare.tables import Tables, quoted, roles, table


def check(tables: Tables) -> Iterator[Problem]:
    """Yield where files can't be put beside others."""
    for path, role in roles(tables):
        folder = role.get("assets")
        if not isinstance(folder, str):
            continue
        at = (*path, "assets")
        if not folder.strip("/") or folder != f"/{folder.strip('/')}" or ".." in folder.split("/"):
            yield Problem(at, quoted(folder), "a folder below '/', such as '/app/public/assets'")
        elif table(role.get("options")).get("read-only") is True:
            expected = "none, or a container that can be written to (options.read-only)"
            yield Problem(at, quoted(folder), expected)
