"""The switch fails: every host goes back; where one can't, it's said what is known of each."""

from tests.fleet.failing.background import started
from tests.fleet.failing.service import Service


def test_one_host_fails_and_all_go_back(in_the_way: Service) -> None:
    old, before = in_the_way.body("web1"), in_the_way.world()
    version = in_the_way.change("not yet", limit=3)
    in_the_way.gate("web2", healthy=False)
    failed = in_the_way.deploy(expect=4)
    assert "The deploy failed in the switch and was undone" in failed
    assert "web2: " in failed
    assert "404" in failed
    in_the_way.nothing_left(before, old)
    assert [in_the_way.outcomes(host, version) for host in before] == [["undone"]] * 2
    in_the_way.gate("web2", healthy=True)
    in_the_way.mended("not yet")


def test_host_that_can_not_go_back_is_named(in_the_way: Service) -> None:
    """The engine of web2 dies while its new container is probed: the old one is stopped there."""
    old, before = in_the_way.body("web1"), in_the_way.world("web1")
    version = in_the_way.change("in between")
    in_the_way.gate("web2", healthy=False)
    with started(in_the_way, "deploy") as deploy:
        deploy.saw("web2  start", "done")
        with in_the_way.dead_engine("web2"):
            said = deploy.ends(5)
            assert in_the_way.world("web1") == before
            assert in_the_way.body("web1") == old
    assert "web2 couldn't be brought back: hosts may serve different versions" in said
    former = in_the_way.journal("web1")[-2]["version"]
    assert f"web1: serves what it served ({former}); the deploy is taken back" in said
    may = f"it may serve the old version ({former}), the new one ({version}) or neither"
    assert f"web2: not brought back; {may}" in said
    assert "web2 sudo systemctl start docker" in said
    assert "`lockship deploy` finishes the job" in said
    in_the_way.tidy("web1")
    assert in_the_way.outcomes("web1", version) == ["attention"]
    in_the_way.gate("web2", healthy=True)
    in_the_way.mended("in between")


def test_host_that_dies_before_the_switch_is_named(beside: Service) -> None:
    """The same before the switch: the old version goes on, what was started may be left."""
    old, before = beside.body("web1"), beside.world("web1")
    version = beside.change("in between")
    beside.body("web2")
    beside.gate("web2", healthy=False)
    with started(beside, "deploy") as deploy:
        deploy.saw("web2  start", "done")
        with beside.dead_engine("web2"):
            said = deploy.ends(5)
            assert {host: beside.body(host) for host in beside.hosts} == {"web1": old, "web2": old}
    assert "no host was switched" in said
    assert "couldn't be removed from web2" in said
    former = beside.journal("web1")[-2]["version"]
    left = "what the deploy had started may still be there"
    assert f"web2: not switched ({former}); {left}" in said
    assert "web2 sudo systemctl start docker; what stopped it: ssh " in said
    assert beside.world("web1") == before
    beside.tidy("web1")
    assert beside.outcomes("web1", version) == ["attention"]
    beside.gate("web2", healthy=True)
    beside.mended("in between")
