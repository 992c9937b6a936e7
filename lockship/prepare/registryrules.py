"""What must hold between the values of `[registry]`, and between them and the rest."""

from __future__ import annotations

from collections.abc import Iterator

from lockship.lock.image import Image
from lockship.lock.shape import Problem
from lockship.prepare.tables import Tables, table


def check(tables: Tables) -> Iterator[Problem]:
    """Yield what breaks a rule of the registry's account."""
    registry = table(tables.get("registry"))
    password = registry.get("password")
    if isinstance(password, str) and password not in table(tables.get("secrets")):
        # What was found isn't shown: it may be the password itself.
        yield Problem(("registry", "password"), "something else", "a name in [secrets]")
    if "registry" in tables and "server" not in registry:
        repository = table(tables.get("image")).get("repository", "")
        if isinstance(repository, str) and Image(repository=repository, tag="").registry is None:
            expected = "a registry, since [image] repository names none"
            yield Problem(("registry", "server"), "nothing", expected)
