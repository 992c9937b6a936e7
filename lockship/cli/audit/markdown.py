"""A report as Markdown: figures, a table, what was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from lockship.audit.report.model import Report, State
from lockship.cli.audit import listing
from lockship.cli.audit.page import said, verification
from lockship.cli.audit.page.definitions import readings
from lockship.cli.audit.page.figures import basis
from lockship.cli.audit.page.words import duration, when
from lockship.cli.text import visible

# CommonMark, "Backslash escapes": any of these may be escaped. Those that mean nothing inside a
# line are left as they are, so that the text can be read as it stands.
_MEANING: Final = re.compile(r"([\\`*_{}\[\]<>()#|~&!$@])")

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]+")


def text(value: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return _MEANING.sub(r"\\\1", visible(value))


def _code(value: str) -> str:
    """Return an id or a version as code; what is none as text."""
    return f"`{value}`" if _PLAIN.fullmatch(value) else text(value)


def document(report: Report) -> str:
    """Return the report as Markdown. The same report gives the same text."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    scope = report.scope
    yield f"# Deploys of {text(said.projects(report))}"
    yield ""
    yield f"- Period: {when(scope.begin)} to {when(scope.end)}"
    for name, value in scope.chosen.items():
        yield f"- Only {name}: {text(value)}"
    commits = ", ".join(_code(commit[:12]) for commit in scope.commits)
    yield f"- History of: {text(scope.ref)}, {commits}"
    yield from [f"- Repository: {text(scope.remote)}"] if scope.remote else []
    yield f"- Made: {when(scope.made)} with {scope.made_by}"
    yield from ("", "## Figures", "", text(basis(report)), "")
    yield from _table(
        ("Figure", "", "Made of", "What it is", "Not seen"),
        (
            (each.name, value, made_of, each.meaning, each.unseen)
            for each, value, made_of in readings(report.figures)
        ),
    )
    if len(report.by_project) > 1:
        names = [each.name for each, _, _ in readings(report.figures)]
        yield ""
        yield from _table(
            ("Service", *names),
            (
                (text(name), *(value for _, value, _ in readings(figures)))
                for name, figures in report.by_project.items()
            ),
        )
    yield from ("", "## Over time", "")
    yield from _table(
        ("When (UTC)", "Deployed", "Forced", "Rolled back", "Failed", "Lead time, median"),
        (
            (
                each.name,
                *map(str, (each.deployed, each.forced, each.rollbacks, each.failed)),
                duration(each.lead) if each.lead is not None else "",
            )
            for each in report.buckets
            if each.deployed or each.forced or each.rollbacks or each.failed
        ),
    )
    yield from ("", "## Deploys", "")
    yield from _table(
        ("When", "Service", "Version", "Outcome", "Who", "Source", "Commit", "Marks", "Changed"),
        map(_cells, report.states),
    )
    yield from _verified(report)


def _cells(state: State) -> Sequence[str]:
    row = state.row
    return (
        when(row.at),
        text(said.project(state)),
        _code(row.version or ""),
        text(said.outcome(state)),
        text(listing.who(row)),
        text(listing.source(row)),
        _code(row.commit[:12]),
        text("; ".join(said.marks(state))),
        text("; ".join(said.changes(state.differences))),
    )


def _verified(report: Report) -> Iterator[str]:
    told = report.verification
    yield from ("", "## Verification", "", text(verification.summary(report)), "")
    yield from (f"    {visible(told.command)}", "")
    if told.findings:
        yield from _table(
            ("Where", "What doesn't hold", "What to do"),
            (
                (text(verification.where(each)), text(each.what), text(each.hint))
                for each in told.findings
            ),
        )


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
