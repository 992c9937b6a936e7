"""A part of the page for each state, to be linked to: everything that `audit show` says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from lockship.audit.finding import Finding
from lockship.audit.report.model import Act, Report, State
from lockship.audit.rows import Who
from lockship.cli.audit.page import layout, said
from lockship.cli.audit.page.element import Child, Html, element, joined
from lockship.cli.audit.page.words import when
from lockship.history.record import Record

_CHANGES: Final = 20
_NOTE: Final = (
    "What follows from another source (its tree, subject, author, date, version and tag) isn't "
    "listed again under Changed. The commits and files between two deploys: "
)


def section(report: Report) -> Html:
    """Return all parts, and the deploys that no committed lock explains."""
    return layout.section(
        "parts",
        "One by one",
        element("p", _NOTE, element("code", "lockship audit diff A B"), ".", class_="note"),
        *(_part(state) for state in report.states),
        _unexplained(report.unexplained),
    )


def _part(state: State) -> Html:
    row = state.row
    name = row.version or row.commit[:12]
    facts = joined(
        joined((element("dt", label), element("dd", value)))
        for label, value in _facts(state)
        if value
    )
    return element(
        "article",
        element(
            "h3",
            element("a", name, href=f"#{state.id}"),
            f" {said.project(state)} · {when(row.at)} · {said.outcome(state)}",
        ),
        element("dl", facts),
        id=state.id,
    )


def _facts(state: State) -> Iterator[tuple[str, Child]]:
    row, source = state.row, state.source
    yield "Marks", "; ".join(said.marks(state)) or None
    yield "Locked in" if state.is_lockfile else "Recorded in", _commit(row.commit, row.subject)
    yield "by", _who(row.author)
    if (row.author.name, row.author.email) != (row.committer.name, row.committer.email):
        yield "put in place by", _who(row.committer)
    yield "Signature", row.signature
    yield "Lockfile", row.path
    told = [each for each in (*row.attempts, row.record) if each is not None]
    if told:
        yield "Recorded", _list(_recorded(each, row.hosts) for each in told)
    if state.acts:
        yield "Journals", _list(f"{when(each.at)} {said.act(each)}" for each in state.acts)
    if state.until is not None:
        then = state.until.version or "no lock"
        yield "Until", f"{when(state.until.at)}: {then} ({state.until.commit[:12]})"
    if source is not None:
        yield "Source", _commit(row.source_commit or "", row.source_subject or "")
        yield "by", f"{row.source_author} {when(row.source_committed_at or '')}"
        yield "Tree", _code(source.tree)
        yield "Snapshot", _code(source.snapshot) if source.snapshot else None
        yield "Dirty", _list(_cut(source.changes)) if source.changes else None
        yield "Image", source.reference
        yield "runs as", row.image or "not built when this was committed"
        yield "Roles", _list(f"{role} on {', '.join(hosts)}" for role, hosts in source.roles)
        yield "Fingerprint", _code(row.fingerprint or "")
        changed = said.changes(state.differences)
        if state.before is not None:
            yield "Changed", _list(changed) if changed else "nothing in the lock"
    wrong = [*map(finding, state.findings)] or [f"✗ {each}" for each in row.problems]
    if row.kind != "removed":
        yield "Checked", _list(wrong) if wrong else "all holds"


def finding(each: Finding) -> str:
    """Say one finding in a line, without where it was found."""
    text = f"{each.field}: {each.what}" if each.field else each.what
    return f"✗ {text}" + (f". {each.hint}" if each.hint else "")


def _recorded(told: Record, hosts: tuple[str, ...]) -> str:
    at = told.deployed_at or "a time that only the hosts' journals tell"
    where = "all its hosts" if set(told.hosts) == set(hosts) else ", ".join(told.hosts)
    said = (
        f"{'rollback ' if told.command == 'rollback' else ''}{told.outcome or 'deployed'} at {at}",
        f"by {told.performer}" if told.performer else "",
        f"on {where}" if where else "",
        f"reason: {told.reason}" if told.reason else "",
        f"hooks skipped: {', '.join(told.skipped_hooks)}" if told.skipped_hooks else "",
    )
    return ", ".join(each for each in said if each)


def _commit(oid: str, subject: str) -> Html:
    return joined((_code(oid), " ", subject))


def _code(text: str) -> Html:
    return element("code", text)


def _who(who: Who) -> str:
    return f"{who.name} <{who.email}> {when(who.at)}"


def _list(lines: Iterable[str]) -> Html:
    return element("ul", *(element("li", line) for line in lines))


def _cut(lines: tuple[str, ...]) -> list[str]:
    more = len(lines) - _CHANGES
    return [*lines[:_CHANGES], *([f"and {more} more"] if more > 0 else [])]


def _unexplained(acts: Iterable[Act]) -> Html | None:
    lines = [
        f"{when(each.at)} {each.project} {each.version or 'no version'}, {said.act(each)}"
        for each in acts
    ]
    if not lines:
        return None
    return element(
        "article",
        element("h3", "On the hosts, of no committed lock"),
        _list(lines),
        id="unexplained",
    )
