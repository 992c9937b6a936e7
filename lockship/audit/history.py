"""The lockfiles of a history: every change, and what each blob holds.

It is remembered in the user's cache folder what was found below which tips. All of that follows
from the ids, so it can't go stale: a rewritten branch has other tips and is walked anew. `verify`
never uses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from lockship.audit import memory
from lockship.audit.folders import lock_folders
from lockship.audit.records import Later, placed
from lockship.git import Objects, Repository
from lockship.history.later import records_among
from lockship.history.survey import Survey
from lockship.history.walk import LockChange, LockCommit, ordered
from lockship.lock.model import Lock
from lockship.lock.reader import MAX_BYTES, UnsoundLockError, parse

_AT_ONCE: Final = 100  # locks that are read together: git needn't be waited for after each
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
    wanted: dict[str, str] = {}  # blobs that weren't read yet, and their files' names
    survey = Survey(repository, revisions, folders)
    # git goes on walking in its own processes while the locks so far are read here.
    for change in survey.changes():
        found.append(change)
        for blob in (change.blob, change.before):
            if blob is None or blob in readings:
                continue
            if blob in known.readings:
                readings[blob] = known.readings[blob]
            else:
                wanted.setdefault(blob, change.path.rpartition(b"/")[2].decode())
        if len(wanted) >= _AT_ONCE:
            readings |= _read_all(objects, wanted)
            wanted = {}
    readings |= _read_all(objects, wanted)
    commits = dict.fromkeys(change.commit.id for change in found)
    told = records_among(repository, [oid for oid in survey.records if oid not in commits])
    commits |= dict.fromkeys(each.id for each in told)
    order: tuple[str, ...] = ()
    if told or not survey.in_order:
        order = ordered(repository, revisions, commits)
        ranks = {oid: rank for rank, oid in enumerate(order)}
        found.sort(key=lambda change: ranks[change.commit.id])
        told = tuple(sorted(told, key=lambda commit: ranks[commit.id]))

    def fingerprint(blob: str) -> str | None:
        reading = readings.get(blob) or known.readings.get(blob)
        return reading.lock.fingerprint if reading and reading.lock else None

    later = placed(objects, told, [*found, *known.changes], fingerprint)
    signed = (known.signed & commits.keys()) | _signed(
        objects, [oid for oid in commits if oid not in known.signed]
    )
    return History(tuple(found), readings, signed, later, order=order if later else ())


def _read_all(objects: Objects, wanted: Mapping[str, str]) -> dict[str, Reading]:
    """Return what lockfiles' blobs hold; the values of `wanted` are their files' names."""
    found = objects.find_all(list(wanted), MAX_BYTES + 1)
    return {
        blob: _reading(answer, name)
        for (blob, name), answer in zip(wanted.items(), found, strict=True)
    }


def _reading(found: tuple[str, str, bytes] | None, name: str) -> Reading:
    if found is None or found[1] != "blob":  # a submodule's commit is in no repository
        return Reading(problem="it is no file")
    try:
        return Reading(parse(found[2], name))
    except UnsoundLockError as error:
        said = error.details[0] if error.details else error.message.removeprefix(f"{name} ")
        return Reading(problem=said.removesuffix("."))


def _signed(objects: Objects, commits: Sequence[str]) -> frozenset[str]:
    """Return the commits that carry a signature."""
    found = zip(commits, objects.find_all(commits, _HEADER), strict=True)
    return frozenset(
        oid
        for oid, commit in found
        if commit is not None and b"\ngpgsig" in commit[2].partition(b"\n\n")[0]
    )
