"""A table: drawn by rich on a terminal, plainly aligned elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from lockship.cli import console
from lockship.cli.text import visible

GAP = "  "


def show(
    header: Sequence[str], rows: Sequence[Sequence[str]], styles: Mapping[str, str] | None = None
) -> None:
    """Print a table on stdout. `styles` colours cells of the last column by their text."""
    shown = [[visible(cell) for cell in row] for row in rows]
    if console.is_live(sys.stdout):
        _draw(header, shown, styles or {})
        return
    for line in aligned([list(header), *shown]):
        console.data(line)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Put cells under one another, two spaces apart, without white space at a line's end."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        GAP.join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _draw(header: Sequence[str], rows: Sequence[Sequence[str]], styles: Mapping[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in header:
        drawn.add_column(title, overflow="fold")
    for row in rows:
        *cells, last = row
        drawn.add_row(*(Text(cell) for cell in cells), Text(last, style=styles.get(last, "")))
    terminal = Console(no_color=not console.wants_colour(sys.stdout), highlight=False)
    with terminal.capture() as capture:
        terminal.print(drawn)
    console.data(capture.get().rstrip("\n"))
