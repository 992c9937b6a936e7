"""Where things are in a chart: the time axis and its ticks. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

_DAY: Final = 86_400
_TICKS: Final = 9  # at most about so many have room


@dataclass(frozen=True)
class Axis:
    """A period, in seconds since 1970, laid over a width."""

    begin: int
    end: int
    left: int
    right: int

    def x(self, at: int) -> int:
        """Return a time's place."""
        span = max(self.end - self.begin, 1)
        return round(self.left + (self.right - self.left) * (at - self.begin) / span)

    def ticks(self) -> Iterator[tuple[int, str]]:
        """Yield places and names of days, weeks, months or years, a few of them."""
        days = (self.end - self.begin) / _DAY
        if days <= 2:
            for at in (self.begin, self.end):
                when = datetime.fromtimestamp(at, UTC)
                yield self.x(at), f"{when.day} {when:%b %H:%M}"
        elif days <= 56:
            yield from self._days(max(round(days / _TICKS), 1))
        else:
            yield from self._months(max(round(days / 30.44 / _TICKS), 1))

    def label(self, x: int, half: int) -> int:
        """Return where a name of this half width is centred so that no edge cuts it."""
        return min(max(x, self.left + half), self.right - half)

    def _days(self, step: int) -> Iterator[tuple[int, str]]:
        at = datetime.fromtimestamp(self.begin, UTC).replace(hour=0, minute=0, second=0)
        at += timedelta(days=1)
        while at.timestamp() <= self.end:
            yield self.x(int(at.timestamp())), f"{at.day} {at:%b}"
            at += timedelta(days=step)

    def _months(self, months: int) -> Iterator[tuple[int, str]]:
        step = next((each for each in (1, 2, 3, 6, 12) if each >= months), -(-months // 12) * 12)
        first = datetime.fromtimestamp(self.begin, UTC)
        number = first.year * 12 + first.month
        number += -number % step
        while (at := _month(number)) is not None and at.timestamp() <= self.end:
            if at.timestamp() >= self.begin:
                yield self.x(int(at.timestamp())), f"{at:%b %Y}" if step < 12 else str(at.year)
            number += step


def _month(number: int) -> datetime | None:
    """Return the first day of a month that is counted from the year 0."""
    year, month = divmod(number, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC) if year < 9999 else None
