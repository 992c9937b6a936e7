"""A host or its engine stops answering in the middle of a deploy: that ends within its limits."""

from tests.fleet.failing.background import started
from tests.fleet.failing.service import Service


def test_cut_off_before_the_switch(beside: Service) -> None:
    """The other ways and moments: tests/fleet/proxy/test_faults.py."""
    old, before = beside.body("web1"), beside.world("web1")
    version = beside.change("after the cut")
    beside.body("web2")
    beside.gate("web2", healthy=False)
    web2 = beside.host("web2")
    with started(beside, "deploy") as deploy:
        deploy.saw("web2  start ", "done")
        web2.stop_sshd()
        said = deploy.ends(5, limit=30)
    assert "no host was switched" in said
    former = beside.journal("web1")[-2]["version"]
    left = "what the deploy had started may still be there"
    assert f"web2: not switched ({former}); {left}" in said
    assert f"web1: serves what it served ({former})" in said
    assert beside.world("web1") == before
    assert beside.body("web1") == old
    assert beside.outcomes("web1", version) == ["attention"]
    web2.start_sshd()
    assert beside.bodies("web2") == {old, "after the cut"}
    beside.gate("web2", healthy=True)
    beside.mended("after the cut")


def test_engine_stopped(beside: Service) -> None:
    """Before a deploy: nothing is begun anywhere."""
    old, before = beside.body("web1"), beside.world()
    beside.serves(old)
    version = beside.change("after a stopped engine")
    with beside.dead_engine("web2"):
        said = beside.deploy(expect=1)
        assert "nothing was changed" in said
        assert "web2: the Docker engine doesn't answer" in said
        assert "sudo systemctl start docker" in said
        beside.serves(old)
    assert beside.world("web1") == {"web1": before["web1"]}
    assert [each for each, _ in beside.world("web2")["web2"]] == [
        each for each, _ in before["web2"]
    ]
    assert beside.outcomes("web1", version) == beside.outcomes("web2", version) == []
    beside.mended("after a stopped engine")
