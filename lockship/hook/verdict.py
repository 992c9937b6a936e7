"""The verdict: every lock in the commits that are pushed is true, and what its policy wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from lockship.git import Objects, Repository
from lockship.history.walk import LockChange, changes
from lockship.hook import mend
from lockship.hook.court import Court
from lockship.hook.objection import Note, Objection, Place, Verdict
from lockship.hook.policy import policy_of, wants_fresh, weakened
from lockship.hook.signature import SIGNERS, unsigned
from lockship.hook.snapshots import on_remote, ref_of
from lockship.hook.span import Span, Tip, not_contained
from lockship.lock.model import Lock

_SHORT = 12


@dataclass(frozen=True, slots=True)
class _Hearing:
    """What an objection may need to know. `loose` are source commits that nobody could fetch."""

    court: Court
    span: Span
    loose: frozenset[str]


def verdict(repository: Repository, objects: Objects, span: Span) -> Verdict:
    """Judge every lock in the span. Raises LockshipError for a repository that is damaged."""
    if not span.tips:
        return Verdict(0)
    court = Court(repository, objects)
    changed = list(changes(repository, span.revisions))
    loose = not_contained(repository, _sources(court, changed), span)
    hearing = _Hearing(court, span, loose)
    objections: list[Objection] = []
    notes: list[Note] = []
    for change in changed:
        objections += _objections(hearing, change)
        notes += _notes(hearing, change)
    objections += [each for tip in span.tips for each in _stale(hearing, tip)]
    locks = sum(change.blob is not None for change in changed)
    return Verdict(locks, tuple(objections), tuple(notes))


def _sources(court: Court, changed: list[LockChange]) -> Iterator[str]:
    """Yield the source commits that are here; what a parent is needs no further look."""
    for change in changed:
        truth = court.truth(change)
        absent = any(finding.field == "source.commit" for finding in truth.findings)
        if truth.lock and not absent and truth.lock.source.commit not in change.commit.parents:
            yield truth.lock.source.commit


def _objections(hearing: _Hearing, change: LockChange) -> Iterator[Objection]:
    truth = hearing.court.truth(change)
    place = partial(hearing.court.place, change, hearing.span)
    lock = truth.lock
    elsewhere = lock is not None and _snapshot_is_there(hearing, lock)
    missing = False
    for found in truth.findings:
        if (found.kind, found.field) == ("missing", "source.snapshot"):
            missing = True
            if elsewhere:
                continue
        how = mend.of_finding(found, place())
        yield Objection(place(), found.kind, found.field, found.what, how)
    if lock is None:
        return
    yield from _wanted(hearing, lock, place)
    remote = hearing.span.remote
    forced = lock.source.dirty and policy_of(lock).allow_dirty
    if forced and remote and not elsewhere and not missing:
        how = mend.push_snapshot(remote.name, ref_of(lock))
        what = "its snapshot is neither on the remote nor pushed along"
        yield Objection(place(), "unpushed", "source.snapshot", what, how)


def _snapshot_is_there(hearing: _Hearing, lock: Lock) -> bool:
    """Tell whether a forced lock's snapshot is on the remote, or will be after the push."""
    snapshot, remote = lock.source.snapshot, hearing.span.remote
    if snapshot is None or remote is None or not policy_of(lock).allow_dirty:
        return False
    return snapshot in hearing.span.along or on_remote(hearing.court.repository, remote, lock)


def _wanted(hearing: _Hearing, lock: Lock, place: Callable[[], Place]) -> Iterator[Objection]:
    """Yield what containment and the policy of the lock ask for in vain."""
    policy = policy_of(lock)
    if lock.source.commit in hearing.loose:
        what = f"commit {lock.source.commit[:_SHORT]} is neither pushed nor on the remote"
        yield Objection(place(), "detached", "source.commit", what, mend.lock_again(place()))
    if lock.source.dirty and not policy.allow_dirty:
        what = "it is of a dirty tree, which [policy] allow-dirty = false forbids"
        yield Objection(place(), "dirty", "source.dirty", what, mend.commit_changes(place()))
    if policy.require_artifact and lock.artifact is None:
        what = "nothing was built, and [policy] require-artifact = true wants it"
        yield Objection(place(), "unbuilt", "artifact", what, mend.build(place()))
    if policy.require_signed:
        why = unsigned(hearing.court.repository, hearing.court.objects, place().commit)
        if why is not None:
            what = f"{why}, and [policy] require-signed = true wants it"
            yield Objection(place(), "unsigned", "policy.require-signed", what, mend.sign(place()))


def _notes(hearing: _Hearing, change: LockChange) -> Iterator[Note]:
    court = hearing.court
    before, lock = court.before(change), court.truth(change).lock
    if before is None or (lock is None and change.blob is not None):
        return  # of a lock that can't be read, nothing is known but that it's refused
    for what in weakened(policy_of(before), policy_of(lock)):
        yield Note(court.place(change, hearing.span), "weakened", f"[policy] {what}")
    if policy_of(lock).require_signed and court.other_signers(change.commit.id, hearing.span.known):
        what = f"{SIGNERS} isn't as the remote has it"
        yield Note(court.place(change, hearing.span), "signers", what)
    if lock is not None and court.is_older(lock, before, change.commit.id):
        what = f"from {before.service.version} back to {lock.service.version}"
        yield Note(court.place(change, hearing.span), "rollback", what)


def _is_stale(court: Court, lock: Lock, tip: Tip) -> bool:
    return lock.source.tree != court.content_of(tip.commit, lock.source.paths)


def _stale(hearing: _Hearing, tip: Tip) -> Iterator[Objection]:
    """Yield the locks of a pushed tip that its ref wants fresh, and that are of other content."""
    court = hearing.court
    for path, lock in court.locks_of(tip.commit):
        policy = policy_of(lock)
        if wants_fresh(policy, tip.ref) and _is_stale(court, lock, tip):
            place = court.place_at(tip, path)
            what = (
                f"it is of {lock.service.version}, and [policy] require-fresh wants what "
                f"{tip.ref} becomes"
            )
            yield Objection(place, "stale", "source.tree", what, mend.lock_anew(place))
