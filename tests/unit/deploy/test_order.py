"""`order = "stop-first"`: never two of the role at once, and the old one back where it fails."""

from __future__ import annotations

import msgspec
import pytest

from lockship.deploy import names
from lockship.deploy.plan import plan
from lockship.deploy.steps import HostPlan, StartContainer, Step, StopContainer
from lockship.deploy.undo import undo
from lockship.lock.model import Lock
from lockship.lock.proxy import Proxy
from lockship.lock.role import Role
from lockship.lock.writer import sealed
from tests.unit.deploy.samples import make_artifact, make_lock
from tests.unit.deploy.simulation import SimulatedHost

STOP_FIRST = Role(hosts=("web1",), order="stop-first")


def lock_of(content: str, **roles: Role) -> Lock:
    return make_lock(content, roles=roles or {"scheduler": STOP_FIRST})


def plan_on(host: SimulatedHost, lock: Lock) -> HostPlan:
    artifact = make_artifact(lock)
    return plan(lock, artifact, [host.observe(artifact)], "deploy").hosts[0]


def carry_out(host: SimulatedHost, lock: Lock, steps: list[Step] | tuple[Step, ...]) -> None:
    for step in steps:
        if isinstance(step, StartContainer) and "-scheduler-" in step.name:
            others = [each for each in roles_running(host) if each != step.name]
            assert not others, f"{step.name} starts beside {others}"
        host.apply(step, lock, make_artifact(lock))


def roles_running(host: SimulatedHost) -> list[str]:
    return [c.name for c in host.serving() if c.labels[names.ROLE] == "scheduler"]


def deployed(*locks: Lock) -> SimulatedHost:
    host = SimulatedHost("web1")
    for lock in locks:
        made = plan_on(host, lock)
        carry_out(host, lock, [*made.stage, *made.switch, *made.finish])
    return host


def kinds(steps: tuple[Step, ...]) -> list[str]:
    return [type(step).__name__ for step in steps]


def test_a_first_one_starts_and_is_probed_before_anything_switches() -> None:
    made = plan_on(SimulatedHost("web1"), lock_of("one"))
    assert kinds(made.stage)[-2:] == ["StartContainer", "ProbeContainer"]
    assert "StopContainer" not in kinds(made.switch)


def test_the_old_one_stops_in_the_switch_before_the_new_one_starts() -> None:
    made = plan_on(deployed(lock_of("one")), lock_of("two"))
    assert kinds(made.stage) == ["StoreLock", "ShipImage", "CreateContainer"]
    assert kinds(made.switch) == ["StopContainer", "StartContainer", "ProbeContainer"]


def test_only_its_own_role_stops_first() -> None:
    roles = {"scheduler": STOP_FIRST, "web": Role(hosts=("web1",))}
    made = plan_on(deployed(lock_of("one", **roles)), lock_of("two", **roles))
    started = [step.name for step in made.stage if isinstance(step, StartContainer)]
    assert started == [names.container_name(lock_of("two", **roles), "web")]
    assert kinds(made.switch)[:2] == ["ConfirmContainer", "StopContainer"]
    assert kinds(made.switch)[-1] == "StopContainer"


def test_a_role_that_leaves_the_proxy_loses_its_route_before_it_stops() -> None:
    proxied = lock_of("one", scheduler=Role(hosts=("web1",), proxy=True))
    old = sealed(msgspec.structs.replace(proxied, proxy=Proxy(port=80)))
    made = plan_on(deployed(old), lock_of("two"))
    assert kinds(made.switch)[:3] == ["RemoveRoute", "StopContainer", "StartContainer"]
    back = undo([*made.stage, *made.switch])
    assert kinds(back) == ["RemoveContainer", "StartContainer", "SwitchRoute"]


BEGUN = range(1, 10)


@pytest.mark.parametrize("taken_back", [False, True], ids=["killed", "taken back"])
@pytest.mark.parametrize("count", BEGUN)
def test_wherever_it_ends_the_next_deploy_finishes_it(count: int, taken_back: bool) -> None:
    """Killed after each step, or failed in it: what ran runs again, or the next deploy runs it."""
    old, new = lock_of("one"), lock_of("two")
    host = deployed(old)
    made = plan_on(host, new)
    before = roles_running(host)
    begun = [*made.stage, *made.switch][:count]
    carry_out(host, new, begun)
    if taken_back:
        carry_out(host, new, undo(begun))
        assert roles_running(host) == before
    again = plan_on(host, new)
    carry_out(host, new, [*again.stage, *again.switch, *again.finish])
    assert roles_running(host) == [names.container_name(new, "scheduler")]
    assert plan_on(host, new).empty


def test_two_left_by_a_killed_deploy_both_stop() -> None:
    """The lock before didn't say stop-first, and its deploy was killed with two running."""
    beside = Role(hosts=("web1",))
    one, two = lock_of("one", scheduler=beside), lock_of("two", scheduler=beside)
    host = deployed(one)
    for step in plan_on(host, two).stage:
        host.apply(step, two, make_artifact(two))
    assert len(roles_running(host)) == 2
    made = plan_on(host, lock_of("three"))
    assert [type(step) for step in made.switch[:2]] == [StopContainer, StopContainer]
    carry_out(host, lock_of("three"), [*made.stage, *made.switch])
