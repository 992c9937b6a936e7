"""What must hold between the platforms that are built for and those that hosts are said to have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lockship.lock.platform import plain
from lockship.lock.shape import Problem
from lockship.prepare import hosts
from lockship.prepare.tables import Tables, containers, hosts_of, quoted, strings, table

_PLATFORM: Final = re.compile(r"[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9.]+)?")


def check(tables: Tables) -> Iterator[Problem]:
    """Yield what is wrong with `[build] platforms`, and with what `[hosts]` says of them."""
    built: list[str] = []
    for index, text in strings(table(tables.get("build")).get("platforms")):
        at = ("build", "platforms", index)
        if not _PLATFORM.fullmatch(text):
            yield Problem(at, quoted(text), "a platform such as 'linux/amd64'")
        elif plain(text) in map(plain, built):
            yield Problem(at, f"{quoted(text)} again", "each platform once")
        built.append(text)
    known = _named(tables)
    for name, said in table(tables.get("hosts")).items():
        if name not in known:
            listed = ", ".join(known) or "none"
            yield Problem(("hosts", name), "no role's host", f"one that a role has: {listed}")
        platform = table(said).get("platform")
        if isinstance(platform, str) and plain(platform) not in map(plain, built):
            several = ", ".join(built) if len(built) > 1 else "several, to choose from"
            expected = f"one of [build] platforms ({several})"
            yield Problem(("hosts", name, "platform"), quoted(platform), expected)
        elif platform is not None and len(built) < 2:
            expected = "no key here: [build] platforms has only this one"
            yield Problem(("hosts", name, "platform"), quoted(str(platform)), expected)


def _named(tables: Tables) -> tuple[str, ...]:
    """Return the hosts of roles and accessories, as the lock calls them."""
    found = []
    for _, one in containers(tables):
        for text in hosts_of(tables, one):
            try:
                found.append(hosts.parse(text).name)
            except ValueError:
                continue  # of which another rule speaks
    return tuple(dict.fromkeys(found))
