"""Records of deploys beside the lockfile states that they are about, in one order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from lockship.audit.entry import Entry
from lockship.audit.history import History
from lockship.audit.records import Later
from lockship.gitobjects import quoted
from lockship.history.record import Record, contradicts

IsAncestor = Callable[[str, str], bool]
_States = dict[tuple[bytes, str | None], list[int]]  # file and blob: places, newest first


def with_records(states: Sequence[Entry], history: History, is_ancestor: IsAncestor) -> list[Entry]:
    """Return the states and an entry for each record, newest first.

    A record of the lock that was in force is added to that state's `later`.
    """
    if not history.later:
        return list(states)
    by_file: _States = {}
    by_lock: dict[str, Entry] = {}
    said: dict[Record, str] = {}  # one deploy is recorded once, unless a commit was copied
    for number, state in enumerate(states):
        by_file.setdefault((state.file, state.blob), []).append(number)
        if state.lock is not None:
            by_lock.setdefault(state.lock.fingerprint, state)
    for state in reversed(states):
        if state.own is not None and state.own.deployed_at:
            said.setdefault(state.own, state.commit.id)
    told: dict[int, list[Record]] = {}  # by place
    records: list[Entry] = []
    for later in reversed(history.later):
        record = later.record
        copied = said.get(record)
        if record.deployed_at:
            said.setdefault(record, later.commit.id)
        place = _place(states, by_file, later, is_ancestor)
        if place is not None and copied is None:
            told.setdefault(place, []).append(record)
        about = states[place] if place is not None else by_lock.get(record.fingerprint or "")
        records.append(_entry(history, later, about, copied))
    merged = [
        replace(state, later=tuple(told[number])) if number in told else state
        for number, state in enumerate(states)
    ]
    ranks = {commit: rank for rank, commit in enumerate(history.order)}
    both = [*reversed(records), *merged]
    return sorted(both, key=lambda entry: ranks[entry.commit.id])


def _place(
    states: Sequence[Entry], by_file: _States, later: Later, is_ancestor: IsAncestor
) -> int | None:
    """Return the place of the state that was in force at a record; None where it isn't here."""
    if later.path is None:
        return None
    places = by_file.get((later.path, later.blob), [])
    if len(places) < 2:
        return places[0] if places else None
    # Most likely the newest that isn't newer than the record.
    at = later.commit.committer.seconds
    likely = sorted(places, key=lambda place: states[place].commit.committer.seconds > at)
    found = (p for p in likely if is_ancestor(states[p].commit.id, later.commit.id))
    return next(found, None)


def _entry(history: History, later: Later, state: Entry | None, copied: str | None) -> Entry:
    lock = history.reading(later.blob).lock or (state.lock if state else None)
    file = later.path if later.path is not None else state.file if state else b""
    wrong = lock is not None and contradicts(later.record, lock)
    return Entry(
        commit=later.commit,
        file=file,
        path=quoted(file) if file else "",
        kind="recorded" if later.path is not None else "attempted",
        lock=lock,
        signed=later.commit.id in history.signed,
        same_as=copied,
        own=later.record,
        problems=("the commit's message records another lock",) if wrong else (),
    )
