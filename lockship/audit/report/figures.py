"""The four figures of DORA (dora.dev), as far as locks and journals know them. Pure.

The definitions, with what they can't see, are in `definitions`; the ones here are the same in code:

- A *change* is a deploy that is no rollback. It *reached* the hosts unless its outcome is `failed`,
  which means that no host was switched.
- *Deployment frequency*: changes with the outcome `deployed`, per week.
- *Lead time*: of each of those with a known `lead`, the median.
- *Change failure rate*: of the changes that reached the hosts, those that went bad: `undone`,
  `attention`, or deployed and followed, as the next that ended well, by a rollback to another
  lock.
- *Time to restore*: from the end of a change that went bad while it served (`attention`, or rolled
  back) to the next deploy or rollback that ended well; the median.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

Outcome = Literal["deployed", "failed", "undone", "attention"]
Unit = Literal["day", "week", "month", "year"]

_DAY: Final = 86_400
_WEEK: Final = 7 * _DAY
_BUCKETS: Final = 60  # about as many as a chart can show apart


class Event(Struct, frozen=True, kw_only=True):
    """One deploy or rollback (`back`) of a project, with its end in seconds since 1970.

    `lock` is the fingerprint of what was deployed; `lead` are the seconds since its source was
    committed, where this is the first deploy of that.
    """

    project: str
    at: int
    outcome: Outcome
    lock: str
    back: bool = False
    forced: bool = False
    lead: int | None = None


class Figures(Struct, frozen=True, kw_only=True, rename="kebab"):
    """What can be said of a period of `days`. Rates are None where nothing is there to count.

    `lead` and `restore` are medians in seconds, `leads` and `restores` of how many. `unrestored`
    are those that no later deploy ended. `undated` are changes whose lead isn't known or can't be:
    a forced one, a source deployed before, one that is dated after its deploy.
    """

    days: float
    deployments: int
    per_week: float
    rollbacks: int
    unreached: int
    lead: float | None
    leads: int
    undated: int
    reached: int
    bad: int
    failure_rate: float | None
    restore: float | None
    restores: int
    unrestored: int


class Bucket(Struct, frozen=True, kw_only=True, rename="kebab"):
    """A part of the period, to `end` (not included): what was deployed in it.

    `lead` is the median in seconds.
    """

    name: str
    begin: int
    end: int
    deployed: int = 0
    forced: int = 0
    rollbacks: int = 0
    failed: int = 0
    lead: float | None = None


def figures(events: Iterable[Event], begin: int, end: int) -> Figures:
    """Compute the figures of what happened from `begin` to `end`, both included.

    What happened before and after is looked at only to tell how things ended.
    """
    ordered = sorted(events, key=lambda event: event.at)
    ends = _ends(ordered)
    changes = [
        (event, good)
        for event, good in zip(ordered, ends, strict=True)
        if not event.back and begin <= event.at <= end
    ]
    deployed = [event for event, _ in changes if event.outcome == "deployed"]
    leads = [event.lead for event in deployed if event.lead is not None]
    reached = [(event, good) for event, good in changes if event.outcome != "failed"]
    bad = [(event, good) for event, good in reached if _went_bad(event, good)]
    served = [(event, good) for event, good in bad if event.outcome != "undone"]
    restores = [good.at - event.at for event, good in served if good is not None]
    days = max((end - begin) / _DAY, 1.0)
    return Figures(
        days=days,
        deployments=len(deployed),
        per_week=len(deployed) * 7 / days,
        rollbacks=sum(
            event.back and event.outcome == "deployed" and begin <= event.at <= end
            for event in ordered
        ),
        unreached=len(changes) - len(reached),
        lead=median(leads) if leads else None,
        leads=len(leads),
        undated=len(deployed) - len(leads),
        reached=len(reached),
        bad=len(bad),
        failure_rate=len(bad) / len(reached) if reached else None,
        restore=median(restores) if restores else None,
        restores=len(restores),
        unrestored=len(served) - len(restores),
    )


def _ends(ordered: Sequence[Event]) -> list[Event | None]:
    """Return for each event the next one of its project that ended well."""
    later: dict[str, Event] = {}
    found: list[Event | None] = []
    for event in reversed(ordered):
        found.append(later.get(event.project))
        if event.outcome == "deployed":
            later[event.project] = event
    return found[::-1]


def _went_bad(event: Event, good: Event | None) -> bool:
    if event.outcome == "deployed":
        return good is not None and good.back and good.lock != event.lock
    return True


def unit_of(begin: int, end: int) -> Unit:
    """Return the smallest unit that cuts the period into few enough parts."""
    for unit, seconds in (("day", _DAY), ("week", _WEEK), ("month", 30 * _DAY)):
        if (end - begin) / seconds <= _BUCKETS:
            return unit  # type: ignore[return-value]
    return "year"


def buckets(events: Iterable[Event], begin: int, end: int) -> tuple[Bucket, ...]:
    """Cut the period into days, weeks, months or years of UTC, and count in each."""
    unit = unit_of(begin, end)
    found = {each.begin: each for each in _empty(unit, begin, end)}
    leads: dict[int, list[int]] = {}
    for event in events:
        if not begin <= event.at <= end:
            continue
        key = _start(unit, event.at)
        found[key] = _counted(found[key], event)
        if event.lead is not None and event.outcome == "deployed" and not event.back:
            leads.setdefault(key, []).append(event.lead)
    return tuple(
        replace(each, lead=median(leads[key])) if key in leads else each
        for key, each in found.items()
    )


def _counted(bucket: Bucket, event: Event) -> Bucket:
    if event.outcome != "deployed":
        return replace(bucket, failed=bucket.failed + 1)
    if event.back:
        return replace(bucket, rollbacks=bucket.rollbacks + 1)
    if event.forced:
        return replace(bucket, forced=bucket.forced + 1)
    return replace(bucket, deployed=bucket.deployed + 1)


def _empty(unit: Unit, begin: int, end: int) -> Iterable[Bucket]:
    at = _start(unit, begin)
    while at <= end:
        after = _next(unit, at)
        yield Bucket(name=_name(unit, at), begin=at, end=after)
        at = after


def _start(unit: Unit, at: int) -> int:
    day = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        day -= timedelta(days=day.weekday())
    elif unit == "month":
        day = day.replace(day=1)
    elif unit == "year":
        day = day.replace(month=1, day=1)
    return int(day.timestamp())


def _next(unit: Unit, start: int) -> int:
    longer = {"day": _DAY, "week": _WEEK, "month": 32 * _DAY, "year": 367 * _DAY}
    return _start(unit, start + longer[unit])


def _name(unit: Unit, start: int) -> str:
    day = datetime.fromtimestamp(start, UTC)
    names = {"day": "%Y-%m-%d", "week": "week of %Y-%m-%d", "month": "%Y-%m", "year": "%Y"}
    return day.strftime(names[unit])
