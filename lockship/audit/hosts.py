"""Hold what hosts say against the committed locks: what no lock explains is a finding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lockship.audit.entry import Entry
from lockship.audit.evidence import HostEvidence, Running
from lockship.audit.finding import Finding
from lockship.host import journal
from lockship.lock.accessory import settings_key
from lockship.lock.model import Lock

_UNCOMMITTED = "Find out who deployed it, and commit its lock; the host keeps it in `locks/`."
_BY_HAND = "`lockship deploy` replaces it; remove what isn't a service's with docker."
_ACCESSORY = "`lockship accessory reboot` replaces it by what is locked, `remove` takes it away."
_TAMPERED = "Somebody with access to the host changed the file; compare it with a backup."


@dataclass(frozen=True)
class Known:
    """The committed locks by fingerprint, and the image ids that their artifacts ever had."""

    locks: dict[str, Lock] = field(default_factory=dict)
    images: dict[str, set[str]] = field(default_factory=dict)


def known(found: Iterable[Entry]) -> Known:
    """Gather the readable locks of a history."""
    gathered = Known()
    for lock in (entry.lock for entry in found):
        if lock is not None:
            gathered.locks[lock.fingerprint] = lock
            if lock.artifact is not None:
                ids = lock.artifact.image_ids
                gathered.images.setdefault(lock.fingerprint, set()).update(ids)
    return gathered


def newest(found: Iterable[Entry]) -> dict[tuple[str, str], Lock]:
    """Return, for each project and host that a lock ever named, the newest lock that names it."""
    chosen: dict[tuple[str, str], Lock] = {}
    for lock in (entry.lock for entry in found if entry.is_state):
        if lock is not None:
            for host in lock.every_host:
                chosen.setdefault((lock.project, host), lock)
    return chosen


def unexplained(evidence: HostEvidence, committed: Known) -> list[Finding]:
    """Return what no committed lock explains on a host, the journal's lines first."""
    lines = list(journal.lines(evidence.journal))
    told = [line.entry for line in lines if line.entry is not None]
    return [
        *(each for line in lines for each in _line(evidence, line, committed)),
        *_end(evidence, lines),
        *(each for one in evidence.running for each in _container(evidence, one, told, committed)),
    ]


def _line(evidence: HostEvidence, line: journal.Line, committed: Known) -> Iterator[Finding]:
    where = f"journal line {line.number}"

    def finding(kind: str, what: str, hint: str) -> Finding:
        version = line.entry.version if line.entry else None
        return Finding(
            about="host", kind=kind, what=what, hint=hint, host=evidence.host, field=where,
            version=version,
        )  # fmt: skip

    entry = line.entry
    if entry is None:
        yield finding("damaged", "it can't be read", _TAMPERED)
        return
    if not line.follows:
        first = "it isn't the first one: lines before it were removed"
        later = "it doesn't follow from the line before: one was edited, added or removed there"
        yield finding("gap", first if line.number == 1 else later, _TAMPERED)
    if not entry.fingerprint:
        return
    lock = committed.locks.get(entry.fingerprint)
    if lock is None:
        what = f"{entry.command} of a lock that was never committed, by {entry.performer}"
        yield finding("uncommitted", f"{what} at {entry.at}", _UNCOMMITTED)
        return
    for name, said, locked in (
        ("service", entry.service, lock.service.name),
        ("destination", entry.destination, lock.service.destination),
        ("version", entry.version, lock.service.version),
    ):
        if said != locked:
            yield finding("journal", f"its {name} is {said}; the lock says {locked}", _TAMPERED)
    beyond = [role for role in entry.roles if role not in lock.roles]
    if beyond:
        yield finding("journal", f"the lock has no role {', '.join(beyond)}", _TAMPERED)
    accessories = entry.accessories or () if entry.command != "accessory remove" else ()
    strangers = [name for name in accessories if name not in lock.accessories]
    if strangers:
        yield finding("journal", f"the lock has no accessory {', '.join(strangers)}", _TAMPERED)
    images = committed.images.get(entry.fingerprint)
    if images and entry.image_id and entry.image_id not in images:
        what = f"it brought image {_short(entry.image_id)}, which no committed lock records"
        yield finding("image", what, _UNCOMMITTED)


def _end(evidence: HostEvidence, lines: list[journal.Line]) -> Iterator[Finding]:
    if journal.ends(evidence.journal, evidence.end):
        return
    where = f"journal line {lines[-1].number}" if lines else "journal"
    what = "it isn't the line that was written last: it was edited, or lines after it were removed"
    yield Finding(
        about="host", kind="gap", what=what if lines else "all of its lines were removed",
        hint=_TAMPERED, host=evidence.host, field=where,
    )  # fmt: skip


def _container(
    evidence: HostEvidence, one: Running, told: list[journal.Entry], committed: Known
) -> Iterator[Finding]:
    def finding(kind: str, what: str) -> Finding:
        return Finding(
            about="host", kind=kind, what=what, hint=_BY_HAND, host=evidence.host,
            field=f"container {one.name}", version=one.version or None,
        )  # fmt: skip

    if not one.project:
        yield finding("by hand", "it is in lockship's network, and no deploy started it")
        return
    if one.accessory:
        yield from _accessory(evidence, one, committed)
        return
    lock = committed.locks.get(one.fingerprint)
    if lock is None:
        yield finding("by hand", "it names a lock that was never committed")
        return
    if one.role not in lock.roles or evidence.host not in lock.roles[one.role].hosts:
        yield finding("by hand", f"its lock has no role {one.role} on this host")
        return
    here = [e for e in told if e.fingerprint == one.fingerprint and not e.accessories]
    if not here:
        yield finding("unrecorded", "no line of the journal tells that its lock was deployed here")
    images = committed.images.get(one.fingerprint) or {entry.image_id for entry in here}
    if images and one.image_id not in images:
        yield finding("image", f"it runs image {_short(one.image_id)}, which isn't its lock's")


def _accessory(evidence: HostEvidence, one: Running, committed: Known) -> Iterator[Finding]:
    """An accessory outlives locks: any committed one that describes it will do."""
    described = [
        lock.accessories[one.accessory]
        for lock in committed.locks.values()
        if lock.project == one.project
        and one.accessory in lock.accessories
        and evidence.host in lock.accessories[one.accessory].hosts
    ]
    kind, what = "by hand", ""
    if not described:
        what = f"no committed lock has an accessory {one.accessory} on this host"
    elif one.settings not in map(settings_key, described):
        what = f"no committed lock describes accessory {one.accessory} as it is"
    elif one.settings_image not in ("", one.image_id):
        kind, what = "image", f"it runs image {_short(one.image_id)}, which isn't its lock's"
    if what:
        yield Finding(
            about="host", kind=kind, what=what, hint=_ACCESSORY, host=evidence.host,
            field=f"container {one.name}",
        )  # fmt: skip


def _short(image_id: str) -> str:
    return image_id.removeprefix("sha256:")[:12]
