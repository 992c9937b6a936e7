"""The lockfiles of a history: every change, and what each blob holds.

It is remembered in the user's cache folder what was found below which tips. All of that follows
from the ids, so it can't go stale: a rewritten branch has other tips and is walked anew. `verify`
never uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from lockship.audit import memory
from lockship.audit.folders import lock_folders
from lockship.audit.records import Later, placed
from lockship.git import Objects, Repository
from lockship.history.later import searching
from lockship.history.walk import LockChange, LockCommit, changes, ordered
from lockship.lock.model import Lock
from lockship.lock.reader import MAX_BYTES, UnsoundLockError, parse

_HEADER: Final = 1 << 16  # bytes of a commit that are searched for a signature


class Reading(Struct, frozen=True):
    """What a lockfile's blob holds: a lock, or why it is none."""

    lock: Lock | None = None
    problem: str = ""


class History(Struct, frozen=True):
    """What was found. `changes` are newest first; `readings` are by blob.

    `later` are commits, newest first, that change no lockfile and record how a deploy ended.
    `order` are the commits of both in one order, newest first; empty where nothing is recorded so.
    `signed` are the commits among all of them that carry a signature, whatever it is worth.
    """

    changes: tuple[LockChange, ...] = ()
    readings: dict[str, Reading] = {}
    signed: frozenset[str] = frozenset()
    later: tuple[Later, ...] = ()
    order: tuple[str, ...] = ()

    def reading(self, blob: str | None) -> Reading:
        """Return what a blob holds; an empty reading for None and for what is no regular file."""
        return self.readings.get(blob, Reading()) if blob else Reading()

    @property
    def commits(self) -> list[LockCommit]:
        """The commits of all changes and records, changes first."""
        return [*(each.commit for each in self.changes), *(each.commit for each in self.later)]

    @property
    def newest(self) -> int:
        """The date of the newest of these, in seconds since 1970; 0 where there is none."""
        return max((commit.committer.seconds for commit in self.commits), default=0)


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
        newest = old.newest
        known = {commit.id for commit in old.commits}
        if all(
            commit.committer.seconds >= newest and commit.id not in known for commit in new.commits
        ):
            return History(
                new.changes + old.changes,
                old.readings | new.readings,
                old.signed | new.signed,
                new.later + old.later,
                _ids(new) + _ids(old) if new.later or old.later else (),
            )
    return _walked(repository, objects, tips, folders, before.history if before else History())


def _ids(history: History) -> tuple[str, ...]:
    """Return the commits in their order."""
    return history.order or tuple(dict.fromkeys(each.id for each in history.commits))


def _unreached(repository: Repository, old: Sequence[str], new: Sequence[str]) -> bool:
    """Tell whether a commit of the old tips' history isn't in the new ones' (or isn't here)."""
    words = ("rev-list", "--max-count=1", "--ignore-missing", "--stdin")
    asked = "".join(f"{tip}\n" for tip in (*old, *(f"^{tip}" for tip in new)))
    return bool(repository.run(*words, stdin=asked.encode(), ok=(0, 128)).strip())


def _walked(
    repository: Repository,
    objects: Objects,
    revisions: Sequence[str],
    folders: tuple[bytes, ...] | None,
    known: History,
) -> History:
    found: list[LockChange] = []
    readings: dict[str, Reading] = {}
    # git goes on walking in its own processes while the locks so far are read here.
    with searching(repository, revisions) as search:
        for change in changes(repository, revisions, folders=folders):
            found.append(change)
            name = change.path.rpartition(b"/")[2].decode()
            for blob in (change.blob, change.before):
                if blob is not None and blob not in readings:
                    readings[blob] = known.readings.get(blob) or read(objects, blob, name)
        commits = dict.fromkeys(change.commit.id for change in found)
        records = [each for each in search.found() if each.id not in commits]

    def fingerprint(blob: str) -> str | None:
        reading = readings.get(blob) or known.readings.get(blob)
        return reading.lock.fingerprint if reading and reading.lock else None

    later = placed(objects, records, [*found, *known.changes], fingerprint)
    commits |= dict.fromkeys(each.id for each in records)
    signed = (oid for oid in commits if oid in known.signed or _is_signed(objects, oid))
    order = ordered(repository, revisions, commits) if later else ()
    return History(tuple(found), readings, frozenset(signed), later, order)


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
