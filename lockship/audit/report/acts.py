"""What hosts' journals tell, gathered: one act for what was one command on several hosts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from lockship.audit.evidence import HostEvidence
from lockship.audit.report.model import Act, OnHost
from lockship.host import journal

_APART: Final = 600  # seconds between two hosts' ends that may still be one command's
_WORST: Final = ("deployed", "done", "undone", "failed", "attention")

_Line = tuple[str, str, journal.Entry]  # project, host, line


def acts(read: Iterable[HostEvidence]) -> list[Act]:
    """Return what was done on the hosts, oldest first.

    A journal doesn't say which lines of several hosts were one command's. They are taken for it
    where command, lock and performer are the same, each host has one, and each ended within ten
    minutes of the one before. Lines that can't be read are `audit verify`'s.
    """
    open_: dict[tuple[str, ...], list[_Line]] = {}
    found: list[Act] = []
    for line in sorted(_lines(read), key=lambda line: (seconds(line[2].at), line[1])):
        project, host, entry = line
        key = (project, entry.command, entry.fingerprint, entry.performer, entry.origin)
        group = open_.get(key, [])
        late = group and seconds(entry.at) - seconds(group[-1][2].at) > _APART
        if late or any(host == other for _, other, _ in group):
            found.append(_act(open_.pop(key)))
        open_.setdefault(key, []).append(line)
    found += [_act(group) for group in open_.values()]
    return sorted(found, key=lambda act: (act.seconds, act.project, act.command))


def _lines(read: Iterable[HostEvidence]) -> Iterator[_Line]:
    for evidence in read:
        for line in journal.lines(evidence.journal):
            if line.entry is not None and _readable(line.entry.at):
                yield evidence.project, evidence.host, line.entry


def _act(lines: list[_Line]) -> Act:
    project, _, last = lines[-1]
    return Act(
        at=last.at,
        seconds=seconds(last.at),
        project=project,
        command=last.command,
        outcome=max((entry.outcome for _, _, entry in lines), key=_WORST.index),
        version=last.version,
        fingerprint=last.fingerprint,
        image_id=last.image_id,
        performer=last.performer,
        origin=last.origin,
        hosts=tuple(OnHost(host, entry.at, entry.outcome) for _, host, entry in lines),
    )


def seconds(at: str) -> int:
    """Return an RFC 3339 time in seconds since 1970. Raises ValueError."""
    return int(datetime.fromisoformat(at).timestamp())


def _readable(at: str) -> bool:
    try:
        seconds(at)
    except (ValueError, OverflowError):
        return False
    return True
