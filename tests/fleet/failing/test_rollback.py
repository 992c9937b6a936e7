"""A rollback that fails is one more failed deploy: the lockfile says what the hosts have."""

import signal

from tests.fleet.failing.background import started
from tests.fleet.failing.service import Service


def test_unhealthy_one_changes_nothing(beside: Service) -> None:
    beside.change("to stay", limit=3)
    beside.deploy()
    before, locked = beside.world(), beside.lockfile.read_bytes()
    beside.gate("web2", healthy=False)
    version = beside.releases("web1")[-2]["version"]
    failed = beside.lockship("rollback", expect=1).stderr
    assert "The deploy failed before the switch" in failed
    assert "web2: " in failed
    assert beside.lockfile.read_bytes() == locked
    beside.nothing_left(before, "to stay")
    assert beside.outcomes("web2", version)[-1] == "failed"
    assert beside.journal("web2")[-1]["command"] == "rollback"


def test_unhealthy_one_with_the_port_in_the_way(in_the_way: Service) -> None:
    in_the_way.change("to come back", limit=3)
    in_the_way.deploy()
    before, locked = in_the_way.world(), in_the_way.lockfile.read_bytes()
    in_the_way.gate("web1", healthy=False)
    failed = in_the_way.lockship("rollback", expect=4).stderr
    assert "The deploy failed in the switch and was undone" in failed
    assert in_the_way.lockfile.read_bytes() == locked
    in_the_way.nothing_left(before, "to come back")


def test_killed_one_is_finished_by_a_deploy(beside: Service) -> None:
    earlier = beside.body("web1")
    beside.change("left in the middle")
    beside.deploy()
    with started(beside, "rollback") as rollback:
        rollback.saw("web1  start", "done")
        rollback.signal(signal.SIGKILL)
        rollback.process.wait(10)
    beside.mended(earlier)


def test_stored_locks_damaged_on_one_host(beside: Service) -> None:
    """Every host has a copy of each lock: one that is whole is enough."""
    earlier = beside.body("web1")
    beside.change("before web1's disk went bad")
    beside.deploy()
    for stored in (beside.run_folder("web1") / "locks").iterdir():
        stored.write_text("lock-version = 1\n")
    beside.lockship("rollback")
    beside.settled(earlier)
