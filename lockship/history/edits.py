"""Which field of a lock was edited by hand: found by putting values back until the seal fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lockship.lock.fingerprint import NOT_HASHED, fingerprint_of
from lockship.lock.shape import Path, dotted

Tables = Mapping[str, Any]
_TRIED: Final = 200  # values put back one by one; each costs a hash over the whole lock
_ABSENT: Final = object()


def edited_fields(document: Tables, honest: Sequence[Tables]) -> tuple[str, ...]:
    """Return the keys whose values aren't those that the fingerprint was taken over.

    `honest` are documents, whole or in part, whose values may be the ones from before the edit:
    the lock's previous state, or what follows from git. The answer is certain, since with these
    values the fingerprint fits; it is empty where no such values are known.
    """
    for candidate in honest:
        changed = _differing(document, candidate)
        if changed and _fits(document, changed):
            return tuple(dotted(path) for path, _ in changed)
    single = [change for candidate in honest for change in _differing(document, candidate)]
    for path, value in single[:_TRIED]:
        if _fits(document, [(path, value)]):
            return (dotted(path),)
    return ()


def _fits(document: Tables, changes: Sequence[tuple[Path, Any]]) -> bool:
    restored: Any = document
    for path, value in changes:
        restored = _with(restored, path, value)
    return fingerprint_of(restored) == document.get("fingerprint")


def _with(table: Tables, path: Path, value: Any) -> Tables:
    """Return the table with another value at a path; a table that becomes empty goes too."""
    key, below = str(path[0]), path[1:]
    new = dict(table)
    if below:
        inner = table.get(key)
        value = _with(inner if isinstance(inner, Mapping) else {}, below, value) or _ABSENT
    if value is _ABSENT:
        new.pop(key, None)
    else:
        new[key] = value
    return new


def _differing(document: Tables, candidate: Tables, path: Path = ()) -> list[tuple[Path, Any]]:
    """Return where the two differ and what the candidate says there.

    At the top, and in tables that only `document` has in full, a candidate may be partial: see
    `Partial`.
    """
    found: list[tuple[Path, Any]] = []
    keys = [*document, *(key for key in candidate if key not in document)]
    for key in keys:
        if not path and key in NOT_HASHED:
            continue
        ours, theirs = document.get(key, _ABSENT), candidate.get(key, _ABSENT)
        if theirs is _ABSENT and isinstance(candidate, Partial):
            continue
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            found += _differing(ours, theirs, (*path, key))
        elif ours != theirs:
            found.append(((*path, key), theirs))
    return found


class Partial(dict[str, Any]):
    """A document, or a table of one, that says nothing about the keys that it lacks."""
