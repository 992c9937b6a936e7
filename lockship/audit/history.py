"""The lockfiles of a history: every change, and what each blob holds.

It is remembered in the user's cache folder what was found below which tips. All of that follows
from the ids, so it can't go stale: a rewritten branch has other tips and is walked anew. `verify`
never uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from lockship.audit import memory
from lockship.audit.folders import lock_folders
from lockship.git import Objects, Repository
from lockship.history.later import recording
from lockship.history.record import ended_well, record_of
from lockship.history.walk import LockChange, LockCommit, changes
from lockship.lock.model import Lock
from lockship.lock.reader import MAX_BYTES, UnsoundLockError, parse

_HEADER: Final = 1 << 16  # bytes of a commit that are searched for a signature


class Reading(Struct, frozen=True):
    """What a lockfile's blob holds: a lock, or why it is none."""

    lock: Lock | None = None
    problem: str = ""


class History(Struct, frozen=True):
    """What was found. `changes` are newest first; `readings` are by blob.

    `signed` are the commits among them that carry a signature, whatever it is worth. `later` are
    commits, newest first, that change no lockfile and record how a deploy that failed before ended.
    """

    changes: tuple[LockChange, ...] = ()
    readings: dict[str, Reading] = {}
    signed: frozenset[str] = frozenset()
    later: tuple[LockCommit, ...] = ()

    def reading(self, blob: str | None) -> Reading:
        """Return what a blob holds; an empty reading for None and for what is no regular file."""
        return self.readings.get(blob, Reading()) if blob else Reading()


def look(
    repository: Repository, tips: Sequence[str], *, everywhere: bool = False, cache: Path | None
) -> History:
    """Return the history of lockfiles that `tips` (ids of commits) reach.

    It covers the repository's root and every folder that has a lockfile at a tip; `everywhere`:
    also folders that hold none any more, which costs several times as much. `cache` is the folder
    to remember in. Raises LockshipError where git fails.
    """
    known = memory.load(cache, repository, tips, everywhere=everywhere, kind=Memory)
    with repository.objects() as objects:
        if known is not None and known.tips == tuple(tips):
            return known.history
        folders = None if everywhere else lock_folders(objects, tips)
        before = known if known is not None and known.folders == folders else None
        found = _grown(repository, objects, tips, folders, before)
    found = structs.replace(found, later=_later(repository, tips, found))
    memory.save(
        cache, repository, tips, everywhere=everywhere, value=Memory(tuple(tips), folders, found)
    )
    return found


class Memory(Struct, frozen=True):
    """What is remembered: the history below some tips, in some folders (None: in all)."""

    tips: tuple[str, ...]
    folders: tuple[bytes, ...] | None
    history: History


def _grown(
    repository: Repository,
    objects: Objects,
    tips: Sequence[str],
    folders: tuple[bytes, ...] | None,
    before: Memory | None,
) -> History:
    """Walk what is new since `before`, and the whole where that isn't just older."""
    if before is not None and not _unreached(repository, before.tips, tips):
        old = before.history
        since = [*tips, *(f"^{tip}" for tip in before.tips)]
        new = _walked(repository, objects, since, folders, old)
        # Only then is it what one walk would tell, in its order: a branch with older commits may be
        # merged, and where a clock was wrong git itself counts commits as new that aren't.
        newest = old.changes[0].commit.committer.seconds if old.changes else 0
        known = {change.commit.id for change in old.changes}
        if all(
            change.commit.committer.seconds >= newest and change.commit.id not in known
            for change in new.changes
        ):
            return History(
                new.changes + old.changes, old.readings | new.readings, old.signed | new.signed
            )
    return _walked(repository, objects, tips, folders, before.history if before else History())


def _later(repository: Repository, tips: Sequence[str], found: History) -> tuple[LockCommit, ...]:
    """Look for later records of deploys that were recorded as failed; mostly there are none."""
    failed = [
        change.commit.id
        for change in found.changes
        if not ended_well(record_of(change.commit.trailers))
    ]
    if not failed:
        return ()
    known = {change.commit.id for change in found.changes}
    # The last one has none of the others in its history, nor what came after them.
    revisions = [*tips, f"^{failed[-1]}"]
    return tuple(each for each in recording(repository, revisions) if each.id not in known)


def _unreached(repository: Repository, old: Sequence[str], new: Sequence[str]) -> bool:
    """Tell whether a commit of the old tips' history isn't in the new ones' (or isn't here)."""
    words = ("rev-list", "--max-count=1", "--ignore-missing", "--stdin")
    asked = "".join(f"{tip}\n" for tip in (*old, *(f"^{tip}" for tip in new)))
    return bool(repository.run(*words, stdin=asked.encode(), ok=(0, 128)).strip())


def _walked(
    repository: Repository,
    objects: Objects,
    revisions: Iterable[str],
    folders: tuple[bytes, ...] | None,
    known: History,
) -> History:
    found: list[LockChange] = []
    readings: dict[str, Reading] = {}
    signed: set[str] = set()
    commits: set[str] = set()
    # git goes on walking in its own process while the locks so far are read here.
    for change in changes(repository, revisions, folders=folders):
        found.append(change)
        name = change.path.rpartition(b"/")[2].decode()
        for blob in (change.blob, change.before):
            if blob is not None and blob not in readings:
                readings[blob] = known.readings.get(blob) or read(objects, blob, name)
        oid = change.commit.id
        if oid not in commits:
            commits.add(oid)
            if oid in known.signed or _is_signed(objects, oid):
                signed.add(oid)
    return History(tuple(found), readings, frozenset(signed))


def read(objects: Objects, blob: str, name: str) -> Reading:
    """Return what a lockfile's blob holds; `name` is the file's."""
    found = objects.find(blob, MAX_BYTES + 1)
    if found is None or found[1] != "blob":  # a submodule's commit is in no repository
        return Reading(problem="it is no file")
    try:
        return Reading(parse(found[2], name))
    except UnsoundLockError as error:
        said = error.details[0] if error.details else error.message.removeprefix(f"{name} ")
        return Reading(problem=said.removesuffix("."))


def _is_signed(objects: Objects, commit: str) -> bool:
    found = objects.find(commit, _HEADER)
    return found is not None and b"\ngpgsig" in found[2].partition(b"\n\n")[0]
