"""Figures as tables: for a terminal, and in the page that keeps them."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.measure import Comparison, Series

_HEAD = ("lockship", "without it", "ratio", "aim")


def table(comparisons: Sequence[Comparison]) -> str:
    """A Markdown table, in columns so that it reads well on a terminal too."""
    rows = [_HEAD, *(_row(each) for each in comparisons)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _row(each: Comparison) -> tuple[str, str, str, str]:
    return (
        f"{each.ours}: {_figures(each.our_series, each.unit)}",
        f"{each.theirs}: {_figures(each.their_series, each.unit)}",
        f"{each.ratio:.2f}" if each.ratio >= 0.1 else f"{each.ratio:.2g}",
        "" if each.aim is None else f"≤ {each.aim:g}",
    )


def _figures(series: Series, unit: str) -> str:
    low, high = min(series.values), max(series.values)
    if len(series.values) == 1:
        return _figure(series.median, unit)
    return f"{_figure(series.median, unit)} ({_figure(low, unit)} to {_figure(high, unit)})"


def _figure(value: float, unit: str) -> str:
    match unit:
        case "s" | "CPU":
            return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"
        case "B":
            return f"{value / 1e6:.1f} MB" if value >= 1e6 else f"{value / 1e3:.1f} kB"
        case _:
            return f"{value:.0f} {unit}".rstrip()


def machine() -> str:
    """What the figures were measured on; nothing that names it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()} "
        f"{platform.release().split('-')[0]}, Python {platform.python_version()}; "
        f"load average {load:.1f} at the start"
    )


def fill(page: str, sections: Mapping[str, str]) -> str:
    """Put each text between its marks in the page; what isn't named stays as it is."""
    for name, text in sections.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, found, rest = page.partition(begin)
        _, ended, after = rest.partition(end)
        if not (found and ended):
            raise SystemExit(f"the page has no marks for {name}: {begin}{end}")
        page = f"{before}{begin}{text}\n{end}{after}"
    return page


def write(path: Path, sections: Mapping[str, str]) -> None:
    """Fill a page that is there."""
    path.write_text(fill(path.read_text(), sections))
