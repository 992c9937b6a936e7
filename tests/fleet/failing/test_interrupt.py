"""Ctrl-C, SIGTERM and a closed terminal: once ends cleanly, twice at once."""

import signal

import pytest

from tests.fleet.failing.background import Running, started
from tests.fleet.failing.service import Service
from tests.fleet.shop import DOCKERFILE

CLEANLY = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", CLEANLY, ids=lambda number: number.name)
def test_once_before_the_switch(beside: Service, number: signal.Signals) -> None:
    text = f"after {number.name}"
    old, before = beside.body("web1"), beside.world()
    version = beside.change(text)
    for host in beside.hosts:
        beside.gate(host, healthy=False)
    with started(beside, "deploy") as deploy:
        both_started(deploy, beside)
        deploy.signal(number)
        said = deploy.ends(130)
    assert "stopping cleanly; once more stops at once" in said
    assert "Interrupted: nothing was switched, what was started is removed." in said
    beside.nothing_left(before, old)
    assert beside.outcomes("web1", version) == ["failed"]
    for host in beside.hosts:
        beside.gate(host, healthy=True)
    beside.mended(text)


@pytest.mark.parametrize("number", CLEANLY, ids=lambda number: number.name)
def test_once_while_building(beside: Service, number: signal.Signals) -> None:
    text = f"built after {number.name}"
    old, before = beside.body("web1"), beside.world()
    sleepy = DOCKERFILE + "RUN echo I sleep && sleep 1000\n"
    version = beside.change(f"never built because of {number.name}", dockerfile=sleepy)
    with started(beside, "deploy") as deploy:
        deploy.saw(" I sleep")
        deploy.signal(number)
        deploy.ends(130, limit=30)
    beside.nothing_left(before, old)
    assert beside.outcomes("web1", version) == []
    beside.change(text)
    beside.mended(text)


def test_once_in_the_switch(in_the_way: Service) -> None:
    old, before = in_the_way.body("web1"), in_the_way.world()
    version = in_the_way.change("after Ctrl-C in the switch")
    for host in in_the_way.hosts:
        in_the_way.gate(host, healthy=False)
    with started(in_the_way, "deploy") as deploy:
        both_started(deploy, in_the_way)
        deploy.signal(signal.SIGINT)
        said = deploy.ends(130)
    assert "Interrupted: the switch was taken back" in said
    in_the_way.nothing_left(before, old)
    assert in_the_way.outcomes("web1", version) == ["undone"]
    for host in in_the_way.hosts:
        in_the_way.gate(host, healthy=True)
    in_the_way.mended("after Ctrl-C in the switch")


def test_twice(beside: Service) -> None:
    """The engine of web2 is frozen, so that the clean end takes long enough to be impatient."""
    beside.change("after two Ctrl-C")
    beside.gate("web2", healthy=False)
    with started(beside, "deploy") as deploy:
        both_started(deploy, beside)
        beside.host("web2").freeze_engine()
        deploy.signal(signal.SIGINT)
        deploy.saw("stopping cleanly")
        deploy.signal(signal.SIGINT)
        said = deploy.ends(130, limit=5)
    assert "stopped at once; `lockship deploy` finishes or undoes what was begun" in said
    beside.host("web2").thaw_engine()
    beside.gate("web2", healthy=True)
    beside.mended("after two Ctrl-C")


def test_while_waiting_for_another_deploy(beside: Service) -> None:
    beside.change("slowly")
    beside.gate("web2", healthy=False)
    with started(beside, "deploy") as first:
        both_started(first, beside)
        with started(beside, "deploy", "--wait") as second:
            second.saw("waiting: ")
            second.signal(signal.SIGINT)
            assert "Interrupted while waiting; nothing was changed." in second.ends(130)
        beside.gate("web2", healthy=True)
        first.ends(0)
    beside.settled("slowly")


def both_started(deploy: Running, service: Service) -> None:
    """New containers run on every host, and are being probed."""
    for host in service.hosts:
        deploy.saw(f"{host}  start ", "done")
