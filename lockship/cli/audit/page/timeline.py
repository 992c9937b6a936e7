"""The time line: a lane for each service and destination, a mark for each deploy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from lockship.audit.report.model import Mark, Report
from lockship.cli.audit.page import layout
from lockship.cli.audit.page.element import Html, element, joined
from lockship.cli.audit.page.places import Axis
from lockship.cli.audit.page.said import OUTCOMES, shape
from lockship.cli.audit.page.words import many, when

SHAPES: Final = {
    "deployed": "deployed",
    "forced": "forced: from a dirty tree",
    "rollback": "rollback",
    "failed": "failed, undone or needs attention",
}
_WIDTH: Final = 1000
_NONE: Final = "No deploy in this period."
_COLUMN: Final = 10  # the marks in a column of so many units are stacked
_STACK: Final = 130  # at most so high
_LABEL: Final = 24
_FOOT: Final = 22


def section(report: Report) -> Html:
    """Return the section of the time line, with the same in numbers below it."""
    lanes = {name: [mark for mark in report.marks if mark.project == name] for name in
             report.scope.projects}  # fmt: skip
    if not report.marks:
        return layout.section("timeline", "Time line", element("p", _NONE))
    forms = ((element("use", href=f"#m-{name}"), meaning) for name, meaning in SHAPES.items())
    chart = layout.scrolling(_drawing(report, lanes), "Time line")
    drawn = element("figure", chart, element("figcaption", layout.legend(forms, "-8 -8 16 16")))
    return layout.section("timeline", "Time line", drawn, _numbers(lanes))


def symbols() -> Html:
    """Return the four shapes, which the time line and the legends use: told apart by form alone."""
    drawn = {
        "deployed": element("circle", r=4),
        "forced": element("path", d="M0-5.5 5.5 0 0 5.5-5.5 0z"),
        "rollback": element("path", d="M4-5v10L-5 0z"),
        "failed": element("path", d="M-4-4 4 4M4-4-4 4"),
    }
    return element(
        "svg",
        element(
            "defs",
            *(element("g", form, id=f"m-{name}", class_=name) for name, form in drawn.items()),
        ),
        class_="defs",
        aria_hidden="true",
    )


def _drawing(report: Report, lanes: dict[str, list[Mark]]) -> Html:
    begin, end = (
        int(datetime.fromisoformat(at).timestamp()) for at in (report.scope.begin, report.scope.end)
    )
    axis = Axis(begin, end, 8, _WIDTH - 12)  # the last column is whole, too
    drawn: list[Html] = []
    y = 0
    for name, marks in lanes.items():
        height, places = _stacked(marks, axis)
        y += _LABEL + height
        drawn += [
            element("text", name, x=0, y=y - height - 8, class_="lane"),
            element("path", d=f"M0 {y + 6}H{_WIDTH}", class_="rule"),
            *(_mark(mark, x, y - up) for mark, x, up in places),
        ]
        y += 12
    grid = [
        element("path", d=f"M{x} 0V{y}", class_="grid")
        + element("text", name, x=axis.label(x, 26), y=y + 15, class_="tick")
        for x, name in axis.ticks()
    ]
    about = f"Time line of {many(len(report.marks), 'deploy')}; the table below has the numbers."
    return element(
        "svg",
        element("title", about, id="timeline-t"),
        joined(Html(each) for each in grid),
        *drawn,
        viewBox=f"0 0 {_WIDTH} {y + _FOOT}",
        role="img",
        aria_labelledby="timeline-t",
        class_="line",
    )


def _stacked(marks: Sequence[Mark], axis: Axis) -> tuple[int, list[tuple[Mark, int, int]]]:
    """Return a lane's height, and for each mark its place and how far it is above the ground."""
    counted: Counter[int] = Counter()
    placed = []
    for mark in reversed(marks):
        column = axis.x(mark.seconds) // _COLUMN
        placed.append((mark, column, counted[column]))
        counted[column] += 1
    highest = max(counted.values(), default=1)
    step = min(_COLUMN, _STACK / highest)
    half = _COLUMN // 2
    return round(step * highest) + 4, [
        (mark, column * _COLUMN + half, round(step * number)) for mark, column, number in placed
    ]


def _mark(mark: Mark, x: int, y: int) -> Html:
    ended = OUTCOMES.get(mark.outcome, mark.outcome)
    how = [ended, *(["rollback"] if mark.back else []), *(["forced"] if mark.forced else [])]
    title = element("title", f"{when(mark.at)} {mark.version}: {', '.join(how)}")
    drawn = element("use", title, href=f"#m-{shape(mark)}", x=x, y=y)
    if mark.state is None:
        return drawn
    return element("a", drawn, href=f"#{mark.state}", tabindex=-1)


def _numbers(lanes: dict[str, list[Mark]]) -> Html:
    names = ("Service", "Deploys", "Forced", "Rollbacks", "Failed", "First", "Last")
    rows = [layout.line(name, *_cells(marks)) for name, marks in lanes.items()]
    caption = "The time line in numbers"
    return layout.scrolling(layout.grid(caption, names, rows), caption)


def _cells(marks: Sequence[Mark]) -> Iterator[Html]:
    shapes = Counter(shape(mark) for mark in marks)
    forced = sum(mark.forced for mark in marks)
    for number in (len(marks), forced, shapes["rollback"], shapes["failed"]):
        yield element("td", f"{number:,}", class_="n")
    for mark in (marks[-1:], marks[:1]):
        yield element("td", when(mark[0].at) if mark else "none", class_="t")
