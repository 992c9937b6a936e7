"""Progress on a terminal: what ended scrolls by, what is under way is redrawn below."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from lockship.cli import console
from lockship.cli.masking import masked
from lockship.cli.progress import TAB, Steps, seconds
from lockship.cli.text import visible
from lockship.progress import Event

_MARKS: Final = {"done": ("✓ ", "green"), "failed": ("✗ ", "bold red"), "stopped": ("- ", "dim")}
SHOWN_ROWS = 20  # a fleet of hundreds of hosts must not push everything else off the screen


class Live:
    """A Report for a terminal, with a row and the elapsed time for each step under way.

    `brief` leaves no line of the steps that ended well.
    """

    def __init__(self, *, brief: bool = False) -> None:
        self._brief = brief
        self._console = Console(
            stderr=True,
            no_color=not console.wants_colour(sys.stderr),
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=True,
        )
        self._steps = Steps()
        self._mutex = threading.Lock()
        self._spinner = Spinner("dots")
        self._live = RichLive(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Live:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError, ValueError):
            self._live.stop()

    def __call__(self, event: Event) -> None:
        """Take one event; called from any thread."""
        with self._mutex:
            if event.kind == "start":
                self._steps.start(event)
                return
            taken = self._steps.end(event).seconds if event.kind in _MARKS else None
        if event.kind == "done" and self._brief:
            return
        if event.kind == "line" and not event.step.strip():
            return
        with suppress(OSError, ValueError):  # a terminal that went away doesn't stop the work
            self._console.print(_line(event, taken))

    def _draw(self) -> RenderableType:
        with self._mutex:
            running = self._steps.running()
        table = Table.grid(padding=(0, 1))
        for host, step, taken in running[:SHOWN_ROWS]:
            table.add_row(
                self._spinner,
                Text(visible(host or ""), style="bold"),
                Text(visible(masked(step))),
                Text(seconds(taken), style="dim"),
            )
        more = len(running) - SHOWN_ROWS
        return Group(table, Text(f"  and {more} more")) if more > 0 else table


def _line(event: Event, taken: float | None) -> Text:
    """Build the line that stays. Foreign text goes in as it is made visible, never as markup."""
    line = Text()
    if taken is not None:
        line.append(*_MARKS[event.kind])
    else:
        line.append("| " if event.kind == "line" else "· ", style="dim")
    if event.host is not None:
        line.append(f"{visible(event.host)}  ", style="bold")
    step = visible(masked(event.step), keep=TAB if event.kind == "line" else "")
    line.append(step, style="dim" if event.kind == "line" else "")
    if taken is not None:
        line.append(f"  {seconds(taken)}", style="dim")
    return line
