"""One deploy at a time, whatever becomes of the one that is at it."""

import json
import re
import signal

from tests.fleet.failing.background import started
from tests.fleet.failing.service import Service


def test_second_deploy_is_told_who_is_at_it(beside: Service) -> None:
    version = beside.change("by the first")
    beside.gate("web2", healthy=False)
    with started(beside, "deploy") as first:
        first.saw("web2  start ", "done")
        held = beside.deploy(expect=1)
        assert "Another deploy holds the mutex; nothing was changed." in held
        said = re.search(
            r"web1: another deploy is at work: (\S+), since (\S+), version (\S+)", held
        )
        assert said, held
        assert said[1].startswith("ada@")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*", said[2])
        assert said[3] == version
        assert "wait for it: lockship deploy --wait" in held
        stopped = beside.lockship("stop", "-y", "--host", "web1", expect=1).stderr
        assert "wait for it: lockship stop -y --host web1 --wait" in stopped
        with started(beside, "deploy", "--wait") as second:
            second.saw("waiting: web1: another deploy is at work")
            beside.gate("web2", healthy=True)
            first.ends(0)
            assert "serves now" not in second.ends(0)
    beside.settled("by the first")
    assert beside.outcomes("web1", version) == ["deployed"]


def test_holder_killed(beside: Service) -> None:
    """The mutex is free at once: the next deploy doesn't even wait."""
    beside.change("killed")
    beside.gate("web2", healthy=False)
    with started(beside, "deploy") as first:
        first.saw("web2  start ", "done")
        first.signal(signal.SIGKILL)
        first.ends(-signal.SIGKILL)
    beside.gate("web2", healthy=True)
    beside.mended("killed")


def test_holder_frozen_loses_it_and_stops(beside: Service) -> None:
    beside.change("of a laptop that went to sleep")
    beside.gate("web2", healthy=False)
    with started(beside, "deploy") as first:
        first.saw("web2  start ", "done")
        first.signal(signal.SIGSTOP)
        version = beside.change("of somebody else")
        beside.gate("web2", healthy=True)
        beside.lockship("deploy", "--wait", timeout=60)
        after = beside.world()
        first.signal(signal.SIGCONT)
        said = first.ends(5)
    assert "the mutex was lost" in said
    assert "no host was switched" in said
    assert beside.world() == after
    beside.settled("of somebody else")
    assert beside.outcomes("web1", version) == ["deployed"]
    assert beside.deploy().count("nothing was to be done") == 1


def test_broken_holder_stops_before_its_next_step(beside: Service) -> None:
    version = beside.change("broken")
    told = json.loads(beside.lockship("mutex", "status", "--json").stdout)
    assert [(each["host"], each["state"]) for each in told["hosts"]] == [
        ("web1", "free"),
        ("web2", "free"),
    ]
    beside.gate("web2", healthy=False)
    with started(beside, "deploy") as first:
        first.saw("web2  start ", "done")
        told = json.loads(beside.lockship("mutex", "status", "--json").stdout)
        assert {each["version"] for each in told["hosts"]} == {version}
        assert all(each["performer"].startswith("ada@") for each in told["hosts"])
        assert all(0 <= each["heartbeat"] <= 5 for each in told["hosts"])
        first.signal(signal.SIGSTOP)
        assert "there is no terminal" in beside.lockship("mutex", "break", expect=2).stderr
        assert not beside.free("web1")
        assert "broken on web1, web2" in beside.lockship("mutex", "break", "-y").stderr
        assert beside.free("web1")
        assert beside.free("web2")
        beside.gate("web2", healthy=True)
        before = beside.world()
        first.signal(signal.SIGCONT)
        assert "the mutex was lost" in first.ends(5)
    assert beside.world() == before
    assert "nobody holds it" in beside.lockship("mutex", "break", "-y").stderr
    beside.mended("broken")
