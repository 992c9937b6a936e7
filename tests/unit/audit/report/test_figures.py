"""The four figures: by hand, and against a model that takes the definitions word for word."""

from __future__ import annotations

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockship.audit.report.figures import Event, Figures, Outcome, buckets, figures

HOUR, DAY, WEEK = 3600, 86_400, 604_800


def deploy(at: int, outcome: Outcome = "deployed", lead: int | None = None) -> Event:
    return Event(project="shop", at=at, outcome=outcome, lock=f"lock {at}", lead=lead)


def back(at: int) -> Event:
    return Event(project="shop", at=at, outcome="deployed", lock="an older one", back=True)


def test_a_month_by_hand() -> None:
    found = figures(
        [
            deploy(1 * DAY, lead=2 * HOUR),
            deploy(2 * DAY, lead=4 * HOUR),  # went bad: rolled back three hours later
            back(2 * DAY + 3 * HOUR),
            deploy(5 * DAY, "failed"),  # no host was switched: it isn't counted
            deploy(6 * DAY, "undone"),  # went bad, and served nobody
            deploy(7 * DAY, "attention"),  # went bad; the next good deploy ends it
            deploy(7 * DAY + HOUR, "failed"),
            deploy(7 * DAY + 5 * HOUR, lead=9 * HOUR),
        ],
        0,
        28 * DAY,
    )
    assert found == Figures(
        days=28.0, deployments=3, per_week=0.75, rollbacks=1, unreached=2, lead=4 * HOUR, leads=3,
        undated=0, reached=5, bad=3, failure_rate=0.6, restore=4 * HOUR, restores=2, unrestored=0,
    )  # fmt: skip


def test_nothing_and_what_isnt_restored() -> None:
    none = figures([], 0, WEEK)
    assert (none.per_week, none.lead, none.failure_rate, none.restore) == (0, None, None, None)
    open_ = figures([deploy(HOUR), deploy(2 * HOUR, "attention")], 0, WEEK)
    assert (open_.bad, open_.restore, open_.unrestored) == (1, None, 1)


def test_going_back_to_what_served_all_along_is_no_failure_of_it() -> None:
    good = deploy(HOUR)
    same = Event(project="shop", at=3 * HOUR, outcome="deployed", lock=good.lock, back=True)
    assert figures([good, deploy(2 * HOUR, "undone"), same], 0, WEEK).bad == 1


def test_another_service_restores_nothing() -> None:
    other = Event(project="api", at=3 * HOUR, outcome="deployed", lock="x", back=True)
    assert figures([deploy(HOUR), other], 0, WEEK).bad == 0


def test_what_comes_after_the_period_still_tells_how_it_ended() -> None:
    found = figures([deploy(6 * DAY), back(8 * DAY)], 0, WEEK)
    assert (found.deployments, found.rollbacks, found.bad, found.restore) == (1, 0, 1, 2 * DAY)


OUTCOMES: tuple[Outcome, ...] = ("deployed", "deployed", "failed", "undone", "attention")
EVENTS = st.lists(
    st.builds(
        Event,
        project=st.sampled_from(["shop", "api"]),
        at=st.integers(0, 40 * DAY),
        outcome=st.sampled_from(OUTCOMES),
        lock=st.sampled_from("abcd"),
        back=st.booleans(),
        forced=st.booleans(),
        lead=st.none() | st.integers(0, 90 * DAY),
    ),
    max_size=25,
    unique_by=lambda event: event.at,
)


@given(EVENTS, st.integers(0, 20 * DAY), st.integers(0, 20 * DAY))
def test_figures_are_what_the_definitions_say(events: list[Event], begin: int, length: int) -> None:
    end = begin + length
    found = figures(events, begin, end)

    def next_good(event: Event) -> Event | None:
        later = [
            each for each in events
            if each.project == event.project and each.at > event.at and each.outcome == "deployed"
        ]  # fmt: skip
        return min(later, key=lambda each: each.at, default=None)

    def rolled_back(event: Event) -> bool:
        good = next_good(event)
        if event.outcome != "deployed" or good is None:
            return False
        return good.back and good.lock != event.lock

    changes = [e for e in events if begin <= e.at <= end and not e.back]
    deployed = [e for e in changes if e.outcome == "deployed"]
    leads = [e.lead for e in deployed if e.lead is not None]
    reached = [e for e in changes if e.outcome in ("deployed", "undone", "attention")]
    bad = [e for e in reached if e.outcome in ("undone", "attention") or rolled_back(e)]
    hurt = [e for e in bad if e.outcome != "undone"]
    restored = [good.at - e.at for e in hurt if (good := next_good(e)) is not None]
    assert found.deployments == len(deployed)
    assert found.per_week == pytest.approx(len(deployed) / max(length / WEEK, 1 / 7))
    assert (found.leads, found.undated) == (len(leads), len(deployed) - len(leads))
    assert found.lead == (median(leads) if leads else None)
    assert (found.reached, found.bad) == (len(reached), len(bad))
    assert found.failure_rate == (len(bad) / len(reached) if reached else None)
    assert found.restore == (median(restored) if restored else None)
    assert found.unrestored == len(hurt) - len(restored)
    assert found.unreached == len([e for e in changes if e.outcome == "failed"])


@given(EVENTS, st.integers(0, 20 * DAY), st.integers(0, 9000 * DAY))
def test_buckets_cover_the_period_and_lose_nothing(
    events: list[Event], begin: int, length: int
) -> None:
    end = begin + length
    found = buckets(events, begin, end)
    assert found[0].begin <= begin < found[0].end
    assert found[-1].begin <= end < found[-1].end
    assert [each.end for each in found[:-1]] == [each.begin for each in found[1:]]
    assert len(found) <= 62
    inside = [event for event in events if begin <= event.at <= end]
    for each in found:
        here = [event for event in inside if each.begin <= event.at < each.end]
        assert each.deployed + each.forced + each.rollbacks + each.failed == len(here)
        assert each.failed == len([event for event in here if event.outcome != "deployed"])
        leads = [
            e.lead for e in here if e.lead is not None and e.outcome == "deployed" and not e.back
        ]
        assert each.lead == (median(leads) if leads else None)
