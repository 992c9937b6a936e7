"""The join of `audit verify --hosts`: what the hosts say, held against the committed locks."""

from __future__ import annotations

from collections.abc import Iterable

from lockship.audit.entry import Entry
from lockship.audit.evidence import HostEvidence, Running
from lockship.audit.finding import Finding
from lockship.audit.hosts import known, newest, unexplained
from lockship.deploy import names
from lockship.deploy.accessory import labels
from lockship.deploy.fleet import connected, each
from lockship.deploy.foreign import image_there
from lockship.deploy.proxy.container import NETWORK, is_ours
from lockship.errors import LockshipError
from lockship.host.server import Server
from lockship.host.types import Container
from lockship.lock.model import Lock
from lockship.progress import Report

_RUNS = ("running", "paused", "restarting")


def verify_hosts(found: Iterable[Entry], report: Report) -> list[Finding]:
    """Read every host that a committed lock names; return what no lock explains."""
    entries = list(found)
    return judged(entries, *read_hosts(entries, report))


def read_hosts(
    found: Iterable[Entry], report: Report
) -> tuple[list[HostEvidence], list[tuple[str, LockshipError]]]:
    """Read every host that a committed lock names, once for each project there.

    Returns what was read, and why a host couldn't be, by its name.
    """
    read: list[HostEvidence] = []
    failed: list[tuple[str, LockshipError]] = []
    for lock, hosts in _by_lock(newest(found)):
        here, not_here = _read_all(lock, hosts, report)
        read += here
        failed += not_here.items()
    return read, failed


def judged(
    found: Iterable[Entry],
    read: Iterable[HostEvidence],
    failed: Iterable[tuple[str, LockshipError]],
) -> list[Finding]:
    """Hold what hosts said against the committed locks; a host that can't be read is a finding."""
    committed = known(found)
    findings: list[Finding] = []
    network_told: set[tuple[str, str]] = set()
    for evidence in read:
        for finding in unexplained(evidence, committed):
            key = (evidence.host, finding.field or "")
            if finding.what.startswith("it is in lockship's network") and key in network_told:
                continue  # two services on a host: each sees it
            network_told.add(key)
            findings.append(finding)
    findings += [
        Finding(about="host", kind="unreachable", what=e.message, hint=e.hint, host=name)
        for name, e in failed
    ]
    return findings


def _by_lock(places: dict[tuple[str, str], Lock]) -> list[tuple[Lock, list[str]]]:
    grouped: dict[str, tuple[Lock, list[str]]] = {}
    for (_, host), lock in places.items():
        grouped.setdefault(lock.fingerprint, (lock, []))[1].append(host)
    return list(grouped.values())


def _read_all(
    lock: Lock, hosts: list[str], report: Report
) -> tuple[list[HostEvidence], dict[str, LockshipError]]:
    with connected(lock, hosts, report) as opened:
        read = each(
            opened.done, lambda name: _read(opened.done[name], lock), parallel=len(opened.done)
        )
        return list(read.done.values()), {**opened.failed, **read.failed}


def _read(server: Server, lock: Lock) -> HostEvidence:
    # The end first: a deploy that ends meanwhile is then a line more, and no line less.
    end = server.read_file(names.journal_end_path(lock)) or b""
    journal = server.read_file(names.journal_path(lock)) or b""
    running = [one for one in server.containers({}) if one.state in _RUNS]
    ours = [_running(one) for one in running if one.labels.get(names.PROJECT) == lock.project]
    beside = [_accessory(server, one, lock) for one in running if labels.is_ours(one, lock)]
    foreign = [Running(one.name, one.image_id) for one in running if _is_foreign(one)]
    return HostEvidence(server.name, lock.project, journal, (*ours, *beside, *foreign), end)


def _is_foreign(one: Container) -> bool:
    known = names.PROJECT in one.labels or labels.OWNER in one.labels or is_ours(one)
    return NETWORK in one.networks and not known


def _accessory(server: Server, one: Container, lock: Lock) -> Running:
    said = one.labels
    named = said.get(labels.IMAGE)
    image = image_there(server, named, lock.mirrors) if named else None
    return Running(
        one.name,
        one.image_id,
        said[labels.OWNER],
        accessory=said.get(labels.ACCESSORY, "?"),
        settings=said.get(labels.SETTINGS, ""),
        settings_image=image.id if image else "",
    )


def _running(one: Container) -> Running:
    said = one.labels
    return Running(
        one.name,
        one.image_id,
        said[names.PROJECT],
        said.get(names.ROLE, ""),
        said.get(names.VERSION, ""),
        said.get(names.FINGERPRINT, ""),
    )
