"""Hosts that switch one after the other: the check in between decides, killed or not."""

import signal
from pathlib import Path

from tests.fleet.failing.background import started
from tests.fleet.failing.service import Service

BATCHES = 'batch = 1\nbatch-check = ["sh", "{script}"]\n'


def test_a_check_between_batches_decides(beside: Service, tmp_path: Path) -> None:
    """One lock, and a check that fails, then waits when lockship is interrupted, and killed."""
    script = tmp_path / "check"
    old, before = beside.body("web1"), beside.world()
    version = beside.change("in batches", more=BATCHES.format(script=script))
    beside.lockship("build")
    planned = beside.lockship("deploy", "--plan").stdout
    assert "batch 1  web1\nbatch 2  web2\n" in planned

    script.write_text('echo "check $LOCKSHIP_HOSTS $LOCKSHIP_BATCH/$LOCKSHIP_BATCHES"; exit 7\n')
    failed = beside.deploy(expect=4)
    assert "| check web1 1/2" in failed
    assert "exit status 7, after batch 1 of 2 had switched" in failed
    assert "web2  stop" not in failed
    beside.nothing_left(before, old)
    assert [beside.outcomes(host, version) for host in before] == [["undone"]] * 2

    script.write_text("echo waiting; exec sleep 600\n")
    with started(beside, "deploy") as deploy:
        deploy.saw("| waiting")
        assert beside.body("web1") == "in batches"
        deploy.signal(signal.SIGINT)
        assert "the switch was taken back" in deploy.ends(130)
    beside.nothing_left(before, old)

    with started(beside, "deploy") as deploy:
        deploy.saw("| waiting")
        deploy.signal(signal.SIGKILL)
        deploy.process.wait(10)
    assert beside.body("web1") == "in batches"
    assert old in beside.bodies("web2")
    script.write_text("exit 0\n")
    beside.mended("in batches")


def test_one_that_dies_while_others_are_waited_for_switches_nowhere(beside: Service) -> None:
    old, before = beside.body("web1"), beside.world()
    beside.change("healthy for a moment")
    beside.gate("web2", healthy=False)
    with started(beside, "deploy") as deploy:
        deploy.saw("web1  probe", "done")
        (new,) = {each for each, _ in beside.world("web1")["web1"]} - {
            each for each, _ in before["web1"]
        }
        beside.shop.engine("web1").docker("kill", new)
        beside.gate("web2", healthy=True)
        said = deploy.ends(1)
    assert "The deploy failed before the switch" in said
    assert "isn't healthy: it was, and now it is exited" in said
    beside.nothing_left(before, old)
    beside.mended("healthy for a moment")
