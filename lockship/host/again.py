"""When to ask a registry once more: after what may be over in a moment, and not for long.

The engine itself repeats the transfer of a layer, five times in a minute, and nothing else: a
manifest that meets a 500, a 429 or a cut connection ends its push or pull.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

WAITS: Final = (1.0, 3.0, 7.0, 15.0)  # seconds before each further try
PATIENCE: Final = 60.0
"""Seconds after the first try in which another one begins; also the longest wait that is obeyed."""

_PASSING: Final = re.compile(
    r"too ?many ?requests|unexpected (?:http )?status\b.*\b(?:429|500|502|503|504)\b"
    r"|\beof\b|connection reset|broken pipe"
)
_LIMITED: Final = re.compile(r"too ?many ?requests|unexpected (?:http )?status\b.*\b429\b")
# The engine passes on a registry's text, and not its Retry-After header; some have it in both.
# Where the text says none, the registry is asked (retryafter.py).
_RETRY_AFTER: Final = re.compile(r"retry-after: ?([0-9]+(?:\.[0-9]+)?)(ns|µs|us|ms|s|m|h)?\b")
_UNITS: Final = {"ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def is_limit(said: str) -> bool:
    """Tell whether a registry says that it is asked too often."""
    return _LIMITED.search(said.lower()) is not None


def _nobody() -> None:
    """Ask nobody."""


class Tries:
    """The tries of one push, pull or question."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        ask: Callable[[], float | None] = _nobody,
    ) -> None:
        """`ask` returns what the registry's header says, for a limit that says no time."""
        self._clock = clock
        self._ask = ask
        self._asked: float | None = None
        self._begin = clock()
        self._count = 0

    def wait_after(self, said: str) -> float | None:
        """Return for how many seconds to wait before the next try; None: there is to be none.

        `said` is what the engine or the registry said of the last one.
        """
        low = said.lower()
        if _PASSING.search(low) is None or self._count == len(WAITS):
            return None
        wait = WAITS[self._count]
        self._asked = self._wanted(low)
        if self._asked is not None:
            wait = max(wait, self._asked)
        if self._clock() - self._begin + wait > PATIENCE:
            return None
        self._count += 1
        return wait

    def told(self) -> tuple[str, ...]:
        """Return a line on how long the registry wanted to be left alone, if it said."""
        return (f"it wants to be asked again in {self._asked:g} s",) if self._asked else ()

    def _wanted(self, low: str) -> float | None:
        said = _RETRY_AFTER.search(low)
        if said is not None:
            return float(said[1]) * _UNITS[said[2] or "s"]
        return self._ask() if is_limit(low) else None
