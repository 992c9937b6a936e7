"""The one lockfile state that a person means by a version or a commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lockship.audit import revisions
from lockship.audit.entry import Entry
from lockship.audit.standing import standing
from lockship.errors import UsageError
from lockship.git import Repository

_LEAST: Final = 4  # characters of a version that may stand for it


def named(
    repository: Repository,
    found: Sequence[Entry],
    word: str,
    destination: str | None,
    *,
    records: bool = True,
) -> list[Entry]:
    """Return the states that `word` means, newest first; of a version its newest one.

    A version (or the start of one) comes first, then a commit: the states that it made, else (with
    `records`) the deploys that it records, else the states that were in force there. Raises
    UsageError where there is none, or where several versions begin so.
    """
    whole_history = [each for each in found if _is_of(each, destination)]
    about = [each for each in whole_history if each.is_state]
    whole = [each for each in about if each.lock and each.lock.service.version == word]
    begun = [each for each in about if each.lock and each.lock.service.version.startswith(word)]
    matching = whole or (begun if len(word) >= _LEAST else [])
    if matching:
        return _newest(matching, word)
    try:
        commit = revisions.tip(repository, word)
    except UsageError:
        raise UsageError(
            f"No committed lock is of version '{word}', and it is no commit.",
            hint="`lockship audit` lists them; --all looks at every branch.",
        ) from None
    made = [each for each in about if each.commit.id == commit]
    if records and not made:
        made = [each for each in whole_history if each.commit.id == commit]
    with repository.objects() as objects:
        made = made or standing(objects, commit, about)
    if not made:
        raise UsageError(
            f"No lock was in force at commit {commit[:12]}.", hint="`lockship audit` lists them."
        )
    return made


def _is_of(entry: Entry, destination: str | None) -> bool:
    lock = entry.about
    return destination is None or (lock is not None and lock.service.destination == destination)


def _newest(matching: Sequence[Entry], word: str) -> list[Entry]:
    """Keep each lockfile's newest state, of one version."""
    versions = {each.lock.service.version for each in matching if each.lock}
    if len(versions) > 1:
        raise UsageError(
            f"Several versions begin with '{word}': {', '.join(sorted(versions)[:5])}.",
            hint="Give more of it.",
        )
    first: dict[bytes, Entry] = {}
    for each in matching:
        first.setdefault(each.file, each)
    return list(first.values())


def one(
    repository: Repository, found: Sequence[Entry], word: str, destination: str | None
) -> Entry:
    """Return the one state that `word` means, with a readable lock. Raises UsageError."""
    matching = [
        each for each in named(repository, found, word, destination, records=False) if each.lock
    ]
    if len(matching) == 1:
        return matching[0]
    if not matching:
        raise UsageError(
            f"The lock of '{word}' can't be read.", hint="`lockship audit verify` says why."
        )
    paths = ", ".join(each.path for each in matching)
    raise UsageError(
        f"'{word}' means several lockfiles: {paths}.", hint="Name the destination with -d."
    )
