"""Times, durations and counts in words."""

from __future__ import annotations

from datetime import UTC, datetime


def when(at: str) -> str:
    """Return an RFC 3339 time as `2026-03-03 14:00 +01:00`."""
    zone = at[19:].lstrip(".0123456789")
    return f"{at[:10]} {at[11:16]} {'+00:00' if zone == 'Z' else zone}".rstrip()


def day(seconds: int) -> str:
    """Return the day of a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def duration(seconds: float) -> str:
    """Return a duration with two units at most: `3 h 12 min`, `2.5 days`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    if seconds < 86_400:
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days = seconds / 86_400
    return f"{days:.1f} days" if days < 10 else f"{days:.0f} days"


def rate(per_week: float) -> str:
    """Return how often in the unit that reads best."""
    if per_week == 0:
        return "none"
    if per_week >= 7:
        return f"{per_week / 7:.1f} per day"
    if per_week >= 1:
        return f"{per_week:.1f} per week"
    if per_week * 30.44 / 7 >= 1:
        return f"{per_week * 30.44 / 7:.1f} per month"
    return f"{per_week * 365.25 / 7:.1f} per year"


def share(part: float) -> str:
    """Return a part of one as per cent."""
    return f"{part * 100:.0f} %" if part in (0, 1) or part >= 0.1 else f"{part * 100:.1f} %"


def many(count: int, one: str, more: str = "") -> str:
    """Return `1 deploy`, `2 deploys`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
