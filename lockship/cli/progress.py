"""Show what domain code reports: live on a terminal, as plain timestamped lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lockship.cli import console
from lockship.cli.text import visible
from lockship.progress import Event, Report, quiet

STILL_AFTER: Final = 5.0  # seconds after which a plain line says that a step is still running
TAB: Final = "\t"
_MARKS: Final = {"done": "done", "failed": "FAILED", "stopped": "stopped"}


@dataclass(frozen=True, slots=True)
class Ended:
    """A step that ended, and how long it took in seconds."""

    event: Event
    seconds: float


class Steps:
    """The steps that are under way, by host, each with its start. Not safe between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started: dict[tuple[str | None, str], float] = {}

    def end(self, event: Event) -> Ended:
        """Take a step out; one whose start wasn't reported took no time."""
        now = self._clock()
        return Ended(event, now - self._started.pop((event.host, event.step), now))

    def start(self, event: Event) -> None:
        """Put a step in."""
        self._started[event.host, event.step] = self._clock()

    def running(self) -> list[tuple[str | None, str, float]]:
        """Return host, step and seconds so far, the longest first."""
        now = self._clock()
        return [(host, step, now - at) for (host, step), at in self._started.items()]


class Plain:
    """A Report that writes one line when a step ends: `20:31:07 web1  probe shop-web… done 1.2s`.

    A step that takes long gets one line before its end too, so that a log shows where it hangs.
    `brief` leaves out the steps that ended well and soon: of looking, only the result matters.
    """

    def __init__(
        self,
        write: Callable[[str], None] = console.say,
        *,
        brief: bool = False,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._write = write
        self._brief = brief
        self._now = now
        self._steps = Steps(clock)
        self._said: set[tuple[str | None, str]] = set()
        self._mutex = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take one event; called from any thread."""
        with self._mutex:
            if event.kind == "start":
                self._steps.start(event)
            elif event.kind in _MARKS:
                ended = self._steps.end(event)
                said = (event.host, event.step) in self._said
                self._said.discard((event.host, event.step))
                if said or not self._brief or event.kind == "failed":
                    mark = f"{_MARKS[event.kind]} {seconds(ended.seconds)}"
                    self._line(event.host, f"{visible(event.step)}… {mark}")
            elif event.kind == "line":
                if event.step.strip():
                    self._line(event.host, f"| {visible(event.step, keep=TAB)}")
            else:
                self._line(event.host, visible(event.step))

    def remind(self) -> None:
        """Say once of each step that takes long that it is under way."""
        with self._mutex:
            for host, step, taken in self._steps.running():
                if taken >= STILL_AFTER and (host, step) not in self._said:
                    self._said.add((host, step))
                    self._line(host, f"{visible(step)}… under way {seconds(taken)}")

    def _line(self, host: str | None, text: str) -> None:
        where = f"{visible(host)}  " if host is not None else ""
        self._write(f"{self._now():%H:%M:%S} {where}{text}")


def seconds(taken: float) -> str:
    """Write a duration as people say it: `0.3s`, `12s`, `2m05s`."""
    if taken < 9.95:
        return f"{taken:.1f}s"
    whole = round(taken)
    return f"{whole}s" if whole < 60 else f"{whole // 60}m{whole % 60:02}s"


@contextmanager
def shown(*, quietly: bool = False, live: bool = True, brief: bool = False) -> Iterator[Report]:
    """Give the Report for this run's stderr.

    `quietly` says nothing (`--json`); `live` False keeps to plain lines on a terminal too, for
    work whose own output draws on it; `brief` is for commands that only look.
    """
    if quietly:
        yield quiet
    elif live and console.is_live(sys.stderr):
        from lockship.cli.live import Live

        with Live(brief=brief) as display:
            yield display
    else:
        plain = Plain(brief=brief)
        # On a terminal another program may be drawing: nothing is written in between.
        reminding = nullcontext() if console.is_live(sys.stderr) else _every(1.0, plain.remind)
        with reminding:
            yield plain


@contextmanager
def _every(interval: float, call: Callable[[], None]) -> Iterator[None]:
    """Call something every `interval` seconds, in a thread, until the block ends."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(interval):
            with suppress(Exception):
                call()

    thread = threading.Thread(target=run, name="lockship-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
