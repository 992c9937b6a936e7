"""kill -9 after each step in turn: the next deploy finishes the job."""

import signal

import pytest

from tests.fleet.failing.background import started
from tests.fleet.failing.service import Service

BESIDE = ("connect", "store lock", "send image", "create", "start", "probe", "stop", "record")
IN_THE_WAY = ("store lock", "send image", "create", "stop", "start", "probe", "record")
"""web1's steps in their order; web2 is where it is."""


@pytest.mark.parametrize("step", BESIDE)
def test_killed_after(beside: Service, step: str) -> None:
    old = beside.body("web1")
    kill_after(beside, step)
    for host in beside.hosts:  # the service never went down, and no host got something else
        assert beside.bodies(host) <= {old, f"killed after {step}"}
    finished(beside, step)


@pytest.mark.parametrize("step", IN_THE_WAY)
def test_killed_after_with_the_port_in_the_way(in_the_way: Service, step: str) -> None:
    kill_after(in_the_way, step)
    finished(in_the_way, step)


def kill_after(service: Service, step: str) -> None:
    service.change(f"killed after {step}")
    with started(service, "deploy") as deploy:
        deploy.saw(f"web1  {step}", "done")
        deploy.signal(signal.SIGKILL)
        deploy.process.wait(10)


def finished(service: Service, step: str) -> None:
    service.mended(f"killed after {step}")
    for host in service.hosts:
        created = [each for each in service.containers(host) if not each["State"]["Running"]]
        assert all(each["State"]["Status"] == "exited" for each in created)
