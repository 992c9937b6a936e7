"""The table of all states, with the controls that a script puts to work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lockship.audit.report.model import Report, State
from lockship.cli.audit import listing
from lockship.cli.audit.page import layout, said
from lockship.cli.audit.page.element import Html, element
from lockship.cli.audit.page.words import many, when

COLUMNS: Final = ("When", "Service", "Version", "Outcome", "Who", "Source", "Marks")
_SIGNS: Final = {"deployed": "✓ ", "failed": "✗ ", "undone": "✗ ", "attention": "! "}
_LONG: Final = 200  # rows
_OUTCOMES: Final = (
    *((word, said.OUTCOMES[word]) for word in ("deployed", "failed", "undone", "attention")),
    *(("unrecorded", "not recorded"), ("rollback", "rollback"), ("forced", "forced")),
    ("wrong", "something doesn't hold"),
)


def section(report: Report) -> Html:
    """Return the table's section."""
    states = report.states
    caption = "Every lockfile state and every recorded deploy, newest first"
    table = layout.grid(caption, COLUMNS, map(_row, states), id_="table")
    records = sum(not state.is_lockfile for state in states)
    count = many(len(states) - records, "lockfile state")
    count += f" and {many(records, 'recorded deploy')}" if records else ""
    return layout.section(
        "deploys",
        "Deploys",
        _controls(states) if states else None,
        element("p", count, role="status", id="count", class_="note"),
        layout.scrolling(table, "Deploys", long=len(states) > _LONG) if states else None,
    )


def _row(state: State) -> Html:
    row = state.row
    sign = _SIGNS.get(state.outcome or "", "")
    name = row.version or row.commit[:12]
    return element(
        "tr",
        element("td", when(row.at)),
        element("td", said.project(state)),
        element("td", element("a", name, href=f"#{state.id}")),
        element("td", sign + said.outcome(state)),
        element("td", listing.who(row)),
        element("td", listing.source(row)),
        element("td", "; ".join([*said.marks(state), *_wrong(state)])),
        data_o=" ".join(said.tokens(state)),
    )


def _wrong(state: State) -> list[str]:
    count = len(state.findings)
    return [many(count, "thing doesn't", "things don't") + " hold"] if count else []


def _controls(states: tuple[State, ...]) -> Html:
    """Return the filters. They are hidden until the script shows them: without it they do nothing.

    The values of the first three are columns of the table, which the script compares.
    """
    some = {word for state in states for word in said.tokens(state)}
    return element(
        "form",
        element("label", "Search", element("input", type="search", id="q", autocomplete="off")),
        _select("Service", "f-service", [row.service for row in (s.row for s in states)]),
        _select("Destination", "f-destination", [state.row.destination for state in states]),
        _select("Version", "f-version", [state.row.version for state in states]),
        _select("Author", "f-author", [state.row.author.name for state in states]),
        element(
            "label",
            "Outcome",
            element(
                "select",
                element("option", "any", value=""),
                *(element("option", name, value=word) for word, name in _OUTCOMES if word in some),
                id="f-outcome",
            ),
        ),
        element("button", "Show all", type="reset"),
        id="filters",
        hidden=True,
        role="search",
        aria_label="Filter the deploys",
    )


def _select(name: str, id_: str, values: Iterable[str | None]) -> Html:
    """Return a choice among the values that there are; of very many, a field to type in."""
    found = sorted({value for value in values if value})
    if len(found) > _MOST:
        return element("label", name, element("input", type="text", id=id_, autocomplete="off"))
    options = [element("option", "any", value=""), *(element("option", each) for each in found)]
    return element("label", name, element("select", *options, id=id_))


_MOST: Final = 200
