"""A host or its engine stops answering in the middle of a deploy: that ends within its limits."""

import pytest

from tests.fleet.failing.background import started
from tests.fleet.failing.service import Service
from tests.harness import TestHost

ENGINE_CALL = 60
"""Seconds that lockship waits for an engine's answer; the mutex is lost after 15."""


@pytest.mark.parametrize("fault", ["connection cut", "network dropped", "host frozen"])
def test_cut_off_before_the_switch(beside: Service, fault: str) -> None:
    old, before = beside.body("web1"), beside.world("web1")
    version = beside.change(f"after {fault}")
    beside.body("web2")
    beside.gate("web2", healthy=False)
    web2 = beside.host("web2")
    with started(beside, "deploy") as deploy:
        deploy.saw("web2  start ", "done")
        break_off(web2, fault)
        said = deploy.ends(5, limit=ENGINE_CALL + 45)
    assert "no host was switched" in said
    assert "web2: not switched; what the deploy had started may still be there" in said
    assert "web1: serves what it served" in said
    assert beside.world("web1") == before
    assert beside.body("web1") == old
    assert beside.outcomes("web1", version) == ["attention"]
    web2.thaw()
    web2.restore_network()
    if fault == "connection cut":
        web2.start_sshd()
    assert beside.bodies("web2") == {old, f"after {fault}"}
    beside.gate("web2", healthy=True)
    beside.mended(f"after {fault}")


def break_off(host: TestHost, fault: str) -> None:
    if fault == "host frozen":
        host.freeze()
    elif fault == "connection cut":
        host.stop_sshd()
    else:
        host.drop_network()


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
