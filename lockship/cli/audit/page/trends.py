"""How often, and how long from commit to deploy, over time: two charts and the same as a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from lockship.audit.report.figures import Bucket
from lockship.audit.report.model import Report
from lockship.cli.audit.page import layout
from lockship.cli.audit.page.element import Html, element, joined
from lockship.cli.audit.page.places import Axis
from lockship.cli.audit.page.words import duration

_NONE: Final = "No deploy in this period."
_WIDTH: Final = 480
_HEIGHT: Final = 200
_LEFT: Final = 60
_TOP: Final = 12
_FLOOR: Final = _HEIGHT - 26
_BOX: Final = "0 0 16 16"
_PARTS: Final = ("deployed", "forced", "rollbacks", "failed")
_NAMES: Final = ("deployed", "forced", "rolled back", "failed")
_DURATIONS: Final = (1, 60, 600, 3600, 6 * 3600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400)


def section(report: Report) -> Html:
    """Return the section of both charts, and their numbers."""
    if not report.marks:
        return layout.section("trends", "Over time", element("p", _NONE))
    axis = _axis(report)
    charts = element(
        "div",
        _figure("How often", _frequency(report, axis), _bars_legend()),
        _figure("From commit to deploy", _leads(report, axis), _leads_legend()),
        class_="pair",
    )
    return layout.section("trends", "Over time", charts, _numbers(report.buckets))


def _axis(report: Report) -> Axis:
    return Axis(report.buckets[0].begin, report.buckets[-1].end, _LEFT, _WIDTH - 8)


def _figure(name: str, drawing: Html, legend: Html) -> Html:
    return element(
        "figure",
        element("h3", name),
        layout.scrolling(drawing, name),
        element("figcaption", legend),
    )


def _chart(about: str, id_: str, axis: Axis, *drawn: Html) -> Html:
    named = list(axis.ticks())[:: 2 if _is_dense(axis) else 1]
    ticks = [
        element("text", name, x=axis.label(x, 18), y=_HEIGHT - 8, class_="tick")
        for x, name in named
    ]
    return element(
        "svg",
        element("title", about, id=id_),
        *drawn,
        *ticks,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_labelledby=id_,
        class_="chart",
    )


def _is_dense(axis: Axis) -> bool:
    places = [x for x, _ in axis.ticks()]
    return any(b - a < 64 for a, b in pairwise(places))


# --- How often


def _frequency(report: Report, axis: Axis) -> Html:
    buckets = report.buckets
    highest = max(_total(each) for each in buckets)
    top = _round(highest)
    bars = [bar for each in buckets for bar in _bar(each, axis, top)]
    scale = [_level(_y(value, top), f"{value:,}") for value in _levels(top)]
    about = "Deploys over time, stacked by outcome; the table below has the numbers."
    return _chart(about, "often-t", axis, joined(scale), joined(bars))


def _total(bucket: Bucket) -> int:
    return sum(getattr(bucket, part) for part in _PARTS)


def _bar(bucket: Bucket, axis: Axis, top: int) -> Iterator[Html]:
    x = axis.x(bucket.begin)
    width = max(min(axis.x(bucket.end) - x - 2, 28), 2)
    below = 0
    for part in _PARTS:
        count: int = getattr(bucket, part)
        if count:
            y, bottom = _y(below + count, top), _y(below, top)
            yield element(
                "rect", x=x + 1, y=y, width=width, height=max(bottom - y, 1), class_=f"bar {part}"
            )
            below += count


def _round(highest: int) -> int:
    """Return the smallest number with a round half that isn't lower."""
    size: int = 10 ** (len(str(highest)) - 1)
    return min(n * size for n in (1, 2, 4, 6, 8, 10) if n * size >= highest)


def _levels(top: int) -> list[int]:
    return [0, top // 2, top] if top % 2 == 0 else [0, top]


def _y(value: float, top: float) -> int:
    return round(_FLOOR - (_FLOOR - _TOP) * value / top)


def _level(y: int, name: str) -> Html:
    line = element("path", d=f"M{_LEFT} {y}H{_WIDTH}", class_="grid")
    return joined((line, element("text", name, x=_LEFT - 6, y=y + 4, class_="level")))


def _bars_legend() -> Html:
    return layout.legend(
        (
            (element("rect", x=1, y=1, width=14, height=14, class_=f"bar {part}"), name)
            for part, name in zip(_PARTS, _NAMES, strict=True)
        ),
        _BOX,
    )


# --- From commit to deploy


def _leads(report: Report, axis: Axis) -> Html:
    about = "Time from commit to deploy over time; the table below has the medians."
    points = [(axis.x(mark.seconds), max(mark.lead, 1)) for mark in report.marks
              if mark.lead is not None]  # fmt: skip
    if not points:
        none = element("text", "No deploy with a known lead time.", x=_LEFT, y=90, class_="lane")
        return _chart(about, "lead-t", axis, none)
    values = [lead for _, lead in points]
    low = max((each for each in _DURATIONS if each <= min(values)), default=1)
    high = min((each for each in _DURATIONS if each >= max(values)), default=max(values))
    low, high = (low, high) if low < high else (low, low * 10)

    def y(lead: float) -> int:
        return _y(math.log(lead / low), math.log(high / low))

    scale = [_level(y(each), _short(each)) for each in _DURATIONS if low <= each <= high]
    dots = "".join(f"M{x} {y(lead)}h0" for x, lead in dict.fromkeys(points))
    medians = [
        (axis.x(each.begin), axis.x(each.end), y(max(each.lead, 1)))
        for each in report.buckets
        if each.lead is not None
    ]
    steps = "".join(f"M{a} {at}H{b}" for a, b, at in medians)
    return _chart(
        about, "lead-t", axis, joined(scale), element("path", d=dots, class_="dots"),
        element("path", d=steps, class_="median"),
    )  # fmt: skip


def _short(seconds: int) -> str:
    """Name one of the scale's durations in a few characters."""
    for size, unit in ((365 * 86_400, "year"), (30 * 86_400, "month"), (7 * 86_400, "week"),
                       (86_400, "day"), (3600, "h"), (60, "min")):  # fmt: skip
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _leads_legend() -> Html:
    dot = element("path", d="M8 8h0", class_="dots one")
    line = element("path", d="M0 8H16", class_="median")
    return layout.legend(((dot, "a deploy"), (line, "the median")), _BOX)


# --- The same as a table


def _numbers(buckets: Sequence[Bucket]) -> Html:
    names = ("When (UTC)", "Deployed", "Forced", "Rolled back", "Failed", "Lead time, median")
    caption = "Both charts in numbers"
    rows = [_row(each) for each in reversed(buckets) if _total(each)]
    table = layout.scrolling(layout.grid(caption, names, rows), caption)
    return element("details", element("summary", caption), table)


def _row(bucket: Bucket) -> Html:
    counts = (element("td", f"{getattr(bucket, part):,}", class_="n") for part in _PARTS)
    lead = duration(bucket.lead) if bucket.lead is not None else ""
    return layout.line(bucket.name, *counts, element("td", lead, class_="n"))
