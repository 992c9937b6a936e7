"""The four figures, each with its definition and what it can't see beside it."""

from __future__ import annotations

from lockship.audit.report.model import Report
from lockship.cli.audit.page import layout
from lockship.cli.audit.page.definitions import Definition, readings
from lockship.cli.audit.page.element import Html, element


def section(report: Report) -> Html:
    """Return the section of the figures."""
    cards = [_card(*reading) for reading in readings(report.figures)]
    return layout.section(
        "figures",
        "Figures",
        element("p", basis(report), class_="note"),
        element("div", *cards, class_="cards"),
        _by_project(report) if len(report.by_project) > 1 else None,
    )


def basis(report: Report) -> str:
    """Say what the figures were computed from."""
    told = report.scope.basis
    read = [name for name, of in told.items() if of == "journals"]
    if not read:
        source = "from committed locks alone: the hosts' journals were not read, or tell of none"
    elif len(read) == len(told):
        source = "from the hosts' journals"
    else:
        rest = ", ".join(name for name in told if name not in read)
        source = f"from the hosts' journals ({', '.join(read)}) and from locks alone ({rest})"
    return (
        "The four figures of DORA, as far as locks and journals know them: of the services and the "
        f"period named above, {source}."
    )


def _card(definition: Definition, value: str, made_of: str) -> Html:
    return element(
        "article",
        element("h3", definition.name),
        element("p", value, class_="value"),
        element("p", made_of, class_="of"),
        element("p", definition.meaning),
        element("p", element("strong", "Not seen: "), definition.unseen, class_="unseen"),
    )


def _by_project(report: Report) -> Html:
    names = [definition.name for definition, _, _ in readings(report.figures)]
    rows = [
        layout.line(name, *(element("td", value) for _, value, _ in readings(figures)))
        for name, figures in report.by_project.items()
    ]
    caption = "The same by service and destination"
    return layout.scrolling(layout.grid(caption, ("Service", *names), rows), caption)
