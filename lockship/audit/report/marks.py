"""The deploys that are counted and drawn: from the journals where they were read, else from locks.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, cast

from msgspec.structs import replace

from lockship.audit.report.acts import seconds
from lockship.audit.report.figures import Event, Outcome
from lockship.audit.report.model import Act, Basis, Mark
from lockship.audit.report.states import DEPLOYS, UNRECORDED, Told, moment
from lockship.lock.model import Lock

_KNOWN: Final = ("deployed", "failed", "undone", "attention")


def bases(projects: Iterable[str], acts: Sequence[Act]) -> dict[str, Basis]:
    """Return for each project whether journals tell of its deploys, or only locks do."""
    told = {act.project for act in acts if act.command in DEPLOYS}
    return {name: "journals" if name in told else "locks" for name in projects}


def marks(
    states: Sequence[Told], ids: Sequence[str], acts: Sequence[Act], basis: Mapping[str, Basis]
) -> list[Mark]:
    """Return every deploy and rollback of these projects, oldest first."""
    locks = {
        each.entry.lock.fingerprint: each.entry.lock
        for each in states
        if each.entry.lock is not None
    }
    found = [
        *(_of_act(act, locks.get(act.fingerprint)) for act in acts if act.command in DEPLOYS),
        *_of_states(states, ids),
    ]
    kept = [(mark, lock, from_) for mark, lock, from_ in found if basis.get(mark.project) == from_]
    kept.sort(key=lambda each: each[0].seconds)
    return list(_with_leads((mark, lock) for mark, lock, _ in kept))


def _of_act(act: Act, lock: Lock | None) -> tuple[Mark, Lock | None, Basis]:
    mark = Mark(
        seconds=act.seconds,
        at=act.at,
        project=act.project,
        version=act.version,
        fingerprint=act.fingerprint,
        outcome=act.outcome,
        back=act.command == "rollback",
        forced=lock is not None and lock.source.dirty,
        lead=None,
        state=act.state,
    )
    return mark, lock, "journals"


def _of_states(
    states: Sequence[Told], ids: Sequence[str]
) -> Iterator[tuple[Mark, Lock | None, Basis]]:
    """Yield a mark for each deploy."""
    for each, name in reversed(list(zip(states, ids, strict=True))):
        lock = each.entry.lock
        if not each.is_deploy or lock is None:
            continue
        own = each.entry.own
        at, said = moment(each.entry, own)
        mark = Mark(
            seconds=at,
            at=said,
            project=lock.project,
            version=lock.service.version,
            fingerprint=lock.fingerprint,
            outcome=(own.outcome if own else None) or UNRECORDED,
            back=each.entry.kind == "rollback" or (own is not None and own.command == "rollback"),
            forced=lock.source.dirty,
            lead=None,
            state=name,
        )
        yield mark, lock, "locks"


def _with_leads(found: Iterable[tuple[Mark, Lock | None]]) -> Iterator[Mark]:
    """Add the seconds since the source was committed to each source's first good deploy."""
    served: set[tuple[str, str]] = set()
    for mark, lock in found:
        if lock is None or event(mark).outcome != "deployed":
            yield mark
            continue
        key = (mark.project, lock.source.commit)
        first = key not in served
        served.add(key)
        lead = mark.seconds - seconds(lock.source.committed_at)
        counts = first and lead >= 0 and not mark.back and not mark.forced
        yield replace(mark, lead=lead) if counts else mark


def event(mark: Mark) -> Event:
    """Return a mark for the figures. An outcome that nobody recorded is taken for a good one."""
    known = cast(Outcome, mark.outcome) if mark.outcome in _KNOWN else "deployed"
    return Event(
        project=mark.project,
        at=mark.seconds,
        outcome=known,
        lock=mark.fingerprint,
        back=mark.back,
        forced=mark.forced,
        lead=mark.lead,
    )
