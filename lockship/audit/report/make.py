"""Put a report together from what was looked up. Pure: the same values give the same report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from lockship import __version__
from lockship.audit.entry import Entry
from lockship.audit.evidence import HostEvidence
from lockship.audit.finding import Finding
from lockship.audit.report import acts as journals
from lockship.audit.report import marks as counted
from lockship.audit.report.figures import buckets, figures
from lockship.audit.report.model import Act, Report, Scope, State, Verification
from lockship.audit.report.states import Told, attached, identities, state, told
from lockship.audit.rows import Row
from lockship.audit.select import Wanted, chosen


@dataclass(frozen=True)
class Facts:
    """Everything that was looked up, of the whole history; `rows` are `found`'s, in its order.

    `now` is when the report is made, `read` what the hosts said (None: nobody asked them);
    `findings` are what `command` finds in `checked` states; `asked` are the options that `wanted`
    was made of, as the person gave them.
    """

    now: datetime
    ref: str
    commits: tuple[str, ...]
    found: Sequence[Entry]
    rows: Sequence[Row]
    wanted: Wanted
    asked: dict[str, str]
    read: Sequence[HostEvidence] | None
    checked: int
    findings: tuple[Finding, ...]
    command: str


def make(facts: Facts) -> Report:
    """Make the report. Figures and time line are of the service, destination and time asked for."""
    states = told(facts.found, facts.rows)
    ids = identities(facts.found)
    projects = _projects(facts)
    acts = [
        act for act in attached(journals.acts(facts.read or ()), states, ids)
        if act.project in projects
    ]  # fmt: skip
    basis = counted.bases(projects, acts)
    every = counted.marks(states, ids, acts, basis)
    begin, end = _period(facts, [mark.seconds for mark in every])
    events = [counted.event(mark) for mark in every]
    shown = _shown(facts, states, ids, acts)
    names = {each.id for each in shown}
    return Report(
        scope=Scope(
            made=facts.now.isoformat(timespec="seconds"),
            made_by=f"lockship {__version__}",
            ref=facts.ref,
            commits=facts.commits,
            remote=next((e.lock.source.remote for e in facts.found if e.lock), None),
            projects=tuple(projects),
            begin=_rfc3339(begin, facts.now),
            end=_rfc3339(end, facts.now),
            chosen=facts.asked,
            basis=basis,
        ),
        figures=figures(events, begin, end),
        by_project={
            name: figures([each for each in events if each.project == name], begin, end)
            for name in projects
        },
        marks=tuple(
            mark if mark.state in names else replace(mark, state=None)
            for mark in reversed(every)
            if begin <= mark.seconds <= end
        ),
        buckets=buckets(events, begin, end) if every else (),
        states=tuple(shown),
        unexplained=tuple(
            act for act in reversed(acts) if act.state is None and begin <= act.seconds <= end
        ),
        verification=Verification(
            command=facts.command,
            locks=facts.checked,
            holds=not facts.findings,
            hosts=_hosts(facts.read),
            findings=facts.findings,
        ),
    )


def _projects(facts: Facts) -> list[str]:
    """Return the services and destinations that were asked for and ever had a lock, by name."""
    wanted = facts.wanted
    return sorted(
        {
            lock.project
            for lock in (entry.about for entry in facts.found)
            if lock is not None
            and wanted.service in (None, lock.service.name)
            and wanted.destination in (None, lock.service.destination)
        }
    )


def _period(facts: Facts, times: Sequence[int]) -> tuple[int, int]:
    """Return begin and end of what the figures are of: as asked, else from the first deploy on.

    What is dated before 1970 or after the report itself (somebody's clock was wrong, or a commit's
    message says anything) is in no period.
    """
    now = int(facts.now.timestamp())
    until = facts.wanted.until
    end = now if until is None else max(min(until, now), 0)
    first = min((at for at in times if 0 <= at <= end), default=end)
    since = facts.wanted.since
    return max(min(first if since is None else since, end), 0), end


def _shown(
    facts: Facts, states: Sequence[Told], ids: Sequence[str], acts: Sequence[Act]
) -> list[State]:
    """Return the states that were asked for, newest first."""
    wanted = {id(entry) for entry in chosen(facts.found, facts.wanted)}
    of_state: dict[str, list[Act]] = {}
    for act in acts:
        of_state.setdefault(act.state or "", []).append(act)
    findings: dict[tuple[str, str], list[Finding]] = {}
    for each in facts.findings:
        if each.commit is not None and each.path is not None:
            findings.setdefault((each.commit, each.path), []).append(each)
    result = []
    later: dict[bytes, Entry] = {}
    for one, name in zip(states, ids, strict=True):
        if id(one.entry) in wanted:
            until = later.get(one.entry.file)
            told_here = of_state.get(name, [])
            result.append(state(one, name, until=until, acts=told_here, findings=findings))
        if one.entry.is_state:
            later[one.entry.file] = one.entry
    return result


def _hosts(read: Sequence[HostEvidence] | None) -> tuple[str, ...] | None:
    return None if read is None else tuple(sorted({each.host for each in read}))


def _rfc3339(at: int, like: datetime) -> str:
    """Return a time in the time zone of another one."""
    return datetime.fromtimestamp(at, like.tzinfo).isoformat()
