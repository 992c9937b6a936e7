"""`order = "stop-first"`: the old one ends before the new one starts, and is back if it fails."""

from tests.fleet.failing.service import Service

STOP_FIRST = 'order = "stop-first"'


def test_the_old_one_stops_first_and_comes_back_where_the_new_one_fails(beside: Service) -> None:
    old, before = beside.body("web1"), beside.world()
    version = beside.change("one at a time", role=STOP_FIRST, limit=2)
    beside.gate("web2", healthy=False)
    failed = beside.deploy(expect=4)
    assert "The deploy failed in the switch and was undone" in failed
    beside.nothing_left(before, old)
    assert [beside.outcomes(host, version) for host in before] == [["undone"]] * 2

    beside.gate("web2", healthy=True)
    beside.mended("one at a time")
    for host in beside.hosts:
        former = {container for container, running in before[host] if running}
        (ended,) = [
            each["State"]["FinishedAt"] for each in beside.containers(host) if each["Id"] in former
        ]
        assert ended < beside.running(host)["State"]["StartedAt"]
