"""Which lockfile states were in force at one commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lockship.audit.entry import Entry
from lockship.git import Objects
from lockship.gitobjects import commit as parse_commit
from lockship.gitobjects import find_entry


def standing(objects: Objects, commit: str, found: Iterable[Entry]) -> list[Entry]:
    """Return, of the entries in a commit's history (newest first), those that are in its tree.

    Of a path it is the newest entry with the very blob that is there: a merge may have taken an
    older side's.
    """
    tree = parse_commit(commit, objects.read(commit)).tree
    there: dict[str, str | None] = {}
    chosen = []
    for entry in found:
        if not entry.is_state:
            continue
        if entry.path not in there:
            at = find_entry(objects.read, tree, entry.file)
            there[entry.path] = at.id if at is not None else None
        if entry.blob is not None and there[entry.path] == entry.blob:
            there[entry.path] = None
            chosen.append(entry)
    return chosen


def serving(found: Sequence[Entry], entry: Entry) -> Iterator[Entry]:
    """Yield a state and, where its deploy is recorded as failed, the one that served on."""
    yield entry
    if entry.served:
        return
    for older in found[found.index(entry) + 1 :]:
        if older.file == entry.file and older.is_state and older.lock and older.served:
            yield older
            return
