"""When a registry is asked once more, and when it isn't."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lockship.host.again import PATIENCE, WAITS, Tries, is_limit
from lockship.host.images import refused_pull
from lockship.host.refusals import registry_error
from lockship.host.retryafter import asked_wait, seconds

LIMIT = "toomanyrequests: retry-after: {}, allowed: 44000/minute"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    "said",
    [
        "toomanyrequests: You have reached your pull rate limit.",
        "received unexpected HTTP status: 500 Internal Server Error",
        "received unexpected HTTP status: 503 Service Unavailable",
        "unexpected status from PUT request to https://r/v2/: 502 Bad Gateway",
        "unexpected EOF",
        "read tcp 10.0.0.1:1->10.0.0.2:443: read: connection reset by peer",
    ],
)
def test_what_may_be_over_in_a_moment(said: str) -> None:
    tries = Tries(Clock())
    assert [tries.wait_after(said) for _ in range(5)] == [*WAITS, None]


@pytest.mark.parametrize(
    "said",
    [
        "unauthorized: authentication required",
        "denied: requested access to the resource is denied",
        "manifest for r/x@sha256:5000000000 not found: manifest unknown",
        "x509: certificate signed by unknown authority",
        "dial tcp 10.0.0.1:443: connect: connection refused",
        "received unexpected HTTP status: 405 Method Not Allowed",
        "",
    ],
)
def test_what_waiting_does_not_mend(said: str) -> None:
    assert Tries(Clock()).wait_after(said) is None


@pytest.mark.parametrize(
    ("asked", "wait"),
    [("10s", 10.0), ("1.031159ms", 1.0), ("20", 20.0), ("61s", None), ("2m", None)],
)
def test_what_a_registry_asks_for_is_obeyed_within_limits(asked: str, wait: float | None) -> None:
    assert Tries(Clock()).wait_after(LIMIT.format(asked)) == wait


def test_what_a_header_says_is_obeyed_where_the_text_says_nothing() -> None:
    asked: list[str] = []

    def ask() -> float:
        asked.append("once more")
        return 12.0

    tries = Tries(Clock(), ask)
    assert tries.wait_after("toomanyrequests: slow down") == 12
    assert tries.wait_after(LIMIT.format("5s")) == 5
    assert tries.wait_after("unexpected EOF") == WAITS[2]
    assert asked == ["once more"], "only of a limit that says no time"
    assert tries.told() == ()
    patient = Tries(Clock(), lambda: 61.0)
    assert patient.wait_after("toomanyrequests: slow down") is None
    assert patient.told() == ("it wants to be asked again in 61 s",)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Fri, 27 Nov 2026 10:00:30 GMT", 30.0),
        ("Fri, 27 Nov 2026 09:00:00 GMT", 0.0),
        ("9" * 400, 999999999.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("\u0661", None),
    ],
)
def test_the_header_is_seconds_or_a_date(said: str, meant: float | None) -> None:
    now = datetime(2026, 11, 27, 10, tzinfo=UTC).timestamp()
    assert seconds(said, lambda: now) == meant


def test_who_can_not_be_asked_says_nothing() -> None:
    for domain in ("127.0.0.1:9", "not a host", "[::1]:9", "a:b:c"):
        assert asked_wait(domain) is None


def test_not_for_longer_than_patience() -> None:
    clock = Clock()
    tries = Tries(clock)
    clock.now += PATIENCE
    assert tries.wait_after("unexpected EOF") is None


def test_a_limit_is_named_and_a_digest_is_no_status() -> None:
    said = LIMIT.format("2h")
    assert is_limit(said)
    error = registry_error("r.example.com/shop:1", said, None)
    assert error is not None
    assert "asked too often" in error.message
    assert "higher limit" in refused_pull("web1", "r.example.com/shop@sha256:0", said).hint
    gone = "manifest for r/shop@sha256:a403b401 not found: manifest unknown"
    assert registry_error("r/shop", gone, None) is None
