"""The page's head: of what, of when, from which commit; and whether all holds, in one line."""

from __future__ import annotations

from typing import Final

from lockship.audit.report.model import Report
from lockship.cli.audit.page import said
from lockship.cli.audit.page.element import Html, element, joined
from lockship.cli.audit.page.words import many, when

SECTIONS: Final = (
    ("figures", "Figures"),
    ("timeline", "Time line"),
    ("trends", "Over time"),
    ("deploys", "Deploys"),
    ("verification", "Verification"),
    ("parts", "One by one"),
)
_TIPS: Final = 4


def head(report: Report) -> Html:
    """Return the banner of the page."""
    scope = report.scope
    rows = [
        ("Period", f"{when(scope.begin)} to {when(scope.end)}"),
        ("Only", "; ".join(f"{name}: {value}" for name, value in scope.chosen.items())),
        ("History of", f"{scope.ref}, {_tips(scope.commits)}"),
        ("Repository", scope.remote or ""),
        ("Made", f"{when(scope.made)} with {scope.made_by}"),
    ]
    return element(
        "header",
        element("p", "Deploy report", class_="eyebrow"),
        element("h1", said.projects(report)),
        element(
            "dl",
            *(
                element("div", element("dt", name), element("dd", value))
                for name, value in rows
                if value
            ),
            class_="facts",
        ),
        _verdict(report),
        element(
            "nav",
            element(
                "ul",
                *(element("li", element("a", name, href=f"#{id_}")) for id_, name in SECTIONS),
            ),
            aria_label="Parts of this page",
        ),
    )


def _tips(commits: tuple[str, ...]) -> str:
    named = ", ".join(commit[:12] for commit in commits[:_TIPS])
    more = len(commits) - _TIPS
    kind = "commit" if len(commits) == 1 else "commits"
    return f"{kind} {named}" + (f" and {more} more" if more > 0 else "")


def _verdict(report: Report) -> Html:
    """Say in one line whether all holds, with a link to what doesn't."""
    checked = report.verification
    locks = many(checked.locks, "lockfile state")
    if not checked.locks:
        return element("p", "No lockfile was ever committed here.", class_="verdict")
    if checked.holds:
        body: list[Html | str] = [element("strong", "✓ All holds. "), f"{locks} checked."]
    else:
        count = many(len(checked.findings), "thing doesn't", "things don't")
        link = element("a", "What was found", href="#verification")
        body = [element("strong", f"✗ {count} hold. "), f"{locks} checked. ", link, "."]
    if checked.hosts is None:
        body.append(" The hosts' journals were not read.")
    return element("p", joined(body), class_="verdict " + ("good" if checked.holds else "bad"))
