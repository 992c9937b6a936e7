"""What the commands of `audit` share: the repository, its history, and what git says of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from lockship.audit import revisions
from lockship.audit.entries import entries
from lockship.audit.entry import Entry
from lockship.audit.finding import Finding
from lockship.audit.history import look
from lockship.audit.rows import Row, row
from lockship.audit.verify import verify
from lockship.git import Repository
from lockship.history.signatures import Signature, signatures


def cache_folder() -> Path:
    """Return where the audit remembers (XDG base directory specification)."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    cache = Path(named) if named.startswith("/") else Path.home() / ".cache"
    return cache / "lockship" / "audit"


def entries_of(
    repository: Repository, tips: list[str], *, everywhere: bool = False, remember: bool = True
) -> list[Entry]:
    """Return every lockfile state that the tips reach, newest first."""
    cache = cache_folder() if remember else None
    history = look(repository, tips, everywhere=everywhere, cache=cache)
    return entries(history, lambda old, new: revisions.is_ancestor(repository, old, new))


def everything(repository: Repository, asked: list[str]) -> list[Entry]:
    """Return every state that revisions reach, in whatever folder, from git's objects alone."""
    history = look(repository, asked, everywhere=True, cache=None)
    return entries(history, lambda old, new: revisions.is_ancestor(repository, old, new))


def of_destination(found: list[Entry], destination: str | None) -> list[Entry]:
    """Return the states of one destination's locks; all where none is named."""
    return [
        each
        for each in found
        if destination is None or (each.about and each.about.service.destination == destination)
    ]


def verified(repository: Repository, found: list[Entry], revisions: Sequence[str]) -> list[Finding]:
    """Check states against git's objects, and ask git about the signatures that there are.

    `revisions` are what `found` was looked for in.
    """
    said = signatures(repository, [each.commit.id for each in found if each.signed])
    whole = not repository.shallow and not any(each.startswith("^") for each in revisions)
    return verify(repository, found, said, whole=whole)


def rows_of(repository: Repository, found: list[Entry], *, check: bool) -> list[Row]:
    """Flatten entries; with `check` git is asked about the signatures that there are."""
    said: dict[str, Signature] = {}
    if check:
        said = signatures(repository, [entry.commit.id for entry in found if entry.signed])
        # Where git can't check at all (no allowed-signers file) it says that there is none.
        said = {oid: "can't be checked" if of == "none" else of for oid, of in said.items()}
    return [row(entry, said.get(entry.commit.id)) for entry in found]
