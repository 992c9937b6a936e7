"""What domain code says while it works: small frozen events, shown by the door that called it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


# Not a Struct: msgspec takes longer to load than everything before `prepare` begins to look.
@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, on a host or (host None) on this machine.

    `start` and `done` carry the same `step`, a few words such as `probe shop-web-3f2a`; `failed`
    ends a step too, and `stopped` one that was given up because of something else. `note` is said
    once; `line` is a line of another program's output as it came: whoever shows it removes control
    characters.
    """

    kind: Literal["start", "done", "failed", "stopped", "note", "line"]
    step: str
    host: str | None = None


Report = Callable[[Event], None]


def quiet(event: Event) -> None:
    """Say nothing."""
