"""What is refused before anything starts: a stranger's port, a lock that isn't one."""

import pytest

from tests.fleet.failing.service import Service


def test_port_of_a_stranger(beside: Service) -> None:
    old, before = beside.body("web1"), beside.world()
    image = beside.running("web2")["Image"]
    web2 = beside.host("web2")
    web2.docker("run", "--detach", "--name=theirs", "--publish=9090:80", image, "sleep", "1000")
    version = beside.change("after a stranger left", ports='"9090:80"')
    said = beside.deploy(expect=1)
    assert "web2: port 9090/tcp is in use by the container theirs" in said
    assert "Stop that container, or publish another port" in said
    beside.nothing_left(before, old)
    assert beside.outcomes("web1", version) == []
    assert web2.docker("inspect", "--format={{.State.Running}}", "theirs").strip() == "true"
    web2.docker("rm", "--force", "theirs")
    beside.mended("after a stranger left")
    beside.change("without a port again")
    beside.mended("without a port again")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("lock-version = 1", "lock-version = 9", "9", id="newer"),
        pytest.param('path = "/gate/up"', 'path = "/"', "edited", id="hand-edited"),
        pytest.param("[roles", "[roles", "", id="cut short"),
    ],
)
def test_lock_that_is_not_one(beside: Service, old: str, new: str, said: str) -> None:
    served, before = beside.body("web1"), beside.world()
    version = beside.change(f"after a lock with {new}")
    good = beside.lockfile.read_text()
    bad = good.replace(old, new) if new != old else good[: good.index(old) + 3]
    beside.lockfile.write_text(bad)
    try:
        refused = beside.deploy(expect=3)
        assert ".shiplock" in refused
        assert said in refused
        assert "hint:" in refused
        assert beside.lockfile.read_text() == bad
    finally:
        beside.lockfile.write_text(good)
    beside.nothing_left(before, served)
    assert beside.outcomes("web1", version) == []
    beside.mended(f"after a lock with {new}")
