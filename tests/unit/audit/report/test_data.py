"""From journals and states to what is counted: acts, deploys, lead times."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from lockship.audit.evidence import HostEvidence
from lockship.audit.report.acts import acts
from lockship.audit.report.make import Facts, make
from lockship.audit.report.model import Report
from lockship.audit.rows import row
from lockship.audit.select import Wanted
from lockship.cli.audit import look
from lockship.host.journal import Entry, Outcome, hash_of
from lockship.lock.fingerprint import build_key
from lockship.lock.image import Artifact
from lockship.lock.model import Lock
from tests.unit.audit.report.samples import NOW
from tests.unit.audit.story import Story, begin
from tests.unit.locks import make_lock

TRAILERS = "Lockship-Outcome: {}\nLockship-Deployed-At: 2026-03-03T02:00:00Z"


def report(
    story: Story, *read: HostEvidence, wanted: Wanted | None = None, now: datetime = NOW
) -> Report:
    found = look.everything(story.repository, [story.repo.head])
    return make(
        Facts(
            now=now, ref="main", commits=(story.repo.head,), found=found,
            rows=[row(each) for each in found], wanted=wanted or Wanted(), asked={},
            read=read or None, checked=len(found), findings=(), command="lockship audit verify",
        )
    )  # fmt: skip


def line(lock: Lock, at: str, outcome: Outcome = "deployed", **changes: str) -> Entry:
    made = Entry(
        at=at, command="deploy", outcome=outcome, service="shop", destination=None,
        version=lock.service.version, fingerprint=lock.fingerprint,
        image_id="sha256:" + "ab" * 32, roles=("web",), performer="ada@desk", origin="desk",
    )  # fmt: skip
    return replace(made, **changes)


def journal(host: str, *entries: Entry) -> HostEvidence:
    lines: list[bytes] = []
    for each in entries:
        chained = replace(each, previous=hash_of(lines[-1] if lines else b""))
        lines.append(msgspec.json.encode(chained))
    return HostEvidence(host, "shop", b"".join(each + b"\n" for each in lines))


def test_lines_of_several_hosts_are_one_act() -> None:
    lock = make_lock()
    web1 = journal(
        "web1",
        line(lock, "2026-03-03T10:00:00.000+00:00"),
        line(lock, "2026-03-03T10:03:00.000+00:00"),  # again: another one
        line(lock, "2026-03-03T10:04:00.000+00:00", "done", command="restart"),
    )
    web2 = journal("web2", line(lock, "2026-03-03T10:00:02.000+00:00", "attention"))
    far = journal("web3", line(lock, "2026-03-03T12:00:00.000+00:00"))
    damaged = HostEvidence("web4", "shop", b"{}\n" + b'{"at":\n')
    timeless = journal("web5", line(lock, "yesterday"))
    told = acts([web1, web2, far, damaged, timeless])
    assert [(act.command, act.outcome, [on.host for on in act.hosts]) for act in told] == [
        ("deploy", "attention", ["web1", "web2"]),
        ("deploy", "deployed", ["web1"]),
        ("restart", "done", ["web1"]),
        ("deploy", "deployed", ["web3"]),
    ]
    assert told[0].at == "2026-03-03T10:00:02.000+00:00"


def test_a_lock_that_was_recorded_later_is_one_deploy(tmp_path: Path) -> None:
    story = begin(tmp_path / "shop")
    story.work("work")
    lock = story.locked("lock")
    built = replace(lock, artifact=Artifact(key=build_key(lock), image_id="sha256:" + "1" * 64))
    story.put(built, f"deployed\n\n{TRAILERS.format('deployed')}")
    made = report(story)
    assert [(each.row.kind, each.outcome) for each in made.states] == [
        ("built", "deployed"),
        ("locked", None),
    ]
    assert [(mark.at, mark.outcome, mark.lead) for mark in made.marks] == [
        ("2026-03-03T02:00:00Z", "deployed", 3140)
    ]


def test_outcomes_rollbacks_forced_ones_and_leads(tmp_path: Path) -> None:
    story = begin(tmp_path / "shop")
    first = story.locked("one")
    story.work("two")
    story.put(story.lock(), f"two is bad\n\n{TRAILERS.format('attention')}")
    story.put(first, "back to one")
    story.work("three")
    story.locked("dirty three", source={"dirty": True})
    story.locked("three, other settings", env={"A": "1"})
    story.locked("three, other settings again", env={"A": "2"})
    made = report(story)
    assert [(m.outcome, m.back, m.forced, m.lead is not None) for m in made.marks] == [
        ("attention", False, False, False),  # the time that it records is later than the others'
        ("unrecorded", False, False, False),
        ("unrecorded", False, False, False),
        ("unrecorded", False, True, False),
        ("unrecorded", True, False, False),
        ("unrecorded", False, False, True),
    ]
    figures = made.figures
    assert (figures.deployments, figures.rollbacks, figures.reached) == (4, 1, 5)
    assert made.scope.basis == {"shop": "locks"}
    [newest, *_] = made.states
    assert [each.field for each in newest.differences] == ["env.A"]
    assert made.states[1].until is not None
    assert made.states[1].until.commit == newest.row.commit


def test_journals_go_before_locks_and_what_no_lock_explains_is_told(tmp_path: Path) -> None:
    story = begin(tmp_path / "shop")
    lock = story.locked("one")
    stranger = make_lock(env={"A": "3"})
    web = journal(
        "local",
        line(lock, "2026-03-03T01:00:00.000+00:00", "failed"),
        line(lock, "2026-03-03T01:30:00.000+00:00"),
        line(stranger, "2026-03-03T01:40:00.000+00:00", "attention"),
        line(lock, "2026-03-03T01:50:00.000+00:00", command="rollback"),
    )
    made = report(story, web)
    assert made.scope.basis == {"shop": "journals"}
    [state] = made.states
    assert state.outcome == "deployed"
    assert [act.outcome for act in state.acts] == ["failed", "deployed", "deployed"]
    assert [act.fingerprint for act in made.unexplained] == [stranger.fingerprint]
    assert [mark.state for mark in made.marks] == [state.id, None, state.id, state.id]
    figures = made.figures
    assert (figures.deployments, figures.unreached, figures.rollbacks) == (1, 1, 1)
    assert (figures.bad, figures.restore) == (1, 600)


def test_the_period_is_as_asked_and_the_future_in_none(tmp_path: Path) -> None:
    story = begin(tmp_path / "shop")
    story.locked("one")
    story.work("two")
    two = story.locked("two locked")
    story.minute = 10_000_000
    story.work("three")
    story.locked("from the future")
    made = report(story)
    assert len(made.states) == 3
    assert next(mark.version for mark in made.marks) == two.service.version
    assert len(made.marks) == 2
    since = report(story, wanted=Wanted(since=made.states[1].seconds, until=made.states[1].seconds))
    assert [mark.version for mark in since.marks] == [two.service.version]
    assert [each.id for each in since.states] == [made.states[1].id]
    assert report(story, wanted=Wanted(service="other")).states == ()


@pytest.mark.parametrize("hours", [-5, 9])
def test_a_time_at_the_worlds_beginning_is_in_no_period(tmp_path: Path, hours: int) -> None:
    """Whoever may commit says in a message what he likes; and there is no year 0."""
    story = begin(tmp_path / "shop")
    ancient = TRAILERS.format("deployed").replace("2026-03-03T02", "0001-01-01T00")
    story.locked(f"one\n\n{ancient}")
    zone = timezone(timedelta(hours=hours))
    for wanted in (Wanted(), Wanted(since=-62135629200)):
        made = report(story, wanted=wanted, now=NOW.astimezone(zone))
        assert len(made.states) == 1
        assert made.scope.begin[:4] in ("1969", "1970", "2026")
