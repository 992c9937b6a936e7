"""What `audit verify` finds, and how to find it again."""

from __future__ import annotations

from lockship.audit.finding import Finding
from lockship.audit.report.model import Report
from lockship.cli.audit.page import layout
from lockship.cli.audit.page.element import Html, element
from lockship.cli.audit.page.words import many, when


def section(report: Report) -> Html:
    """Return the verification's section."""
    told = report.verification
    return layout.section(
        "verification",
        "Verification",
        element("p", summary(report)),
        element("p", "To check the same again, in a clone of the repository:"),
        element("pre", element("code", told.command)),
        _findings(told.findings) if told.findings else None,
    )


def summary(report: Report) -> str:
    """Say what was checked, when, and what came of it."""
    told = report.verification
    wrong = many(len(told.findings), "thing doesn't", "things don't")
    said = [
        f"{many(told.locks, 'lockfile state')} checked on {when(report.scope.made)}: "
        + ("all holds." if told.holds else f"{wrong} hold."),
        "Checked are all states of this history, also those that the rest of this page leaves out: "
        "that each can be read, its fingerprint, its source and the tree in it, its version, its "
        "snapshot, its commit's signature.",
    ]
    if told.hosts is None:
        said.append("Hosts were not asked.")
    else:
        said.append(f"Journals and containers of {', '.join(told.hosts) or 'no host'} were read.")
    return " ".join(said)


def _findings(findings: tuple[Finding, ...]) -> Html:
    caption = "What doesn't hold"
    rows = [
        layout.line(where(each), element("td", each.what), element("td", each.hint))
        for each in findings
    ]
    return layout.scrolling(layout.grid(caption, ("Where", caption, "What to do"), rows), caption)


def where(each: Finding) -> str:
    """Name where a finding was made."""
    commit = each.commit and each.commit[:12]
    return " ".join(w for w in (each.host, commit, each.path, each.version, each.field) if w)
