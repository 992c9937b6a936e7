"""Stop, start, restart and remove: what each does on a host, and what a deploy makes of it."""

from __future__ import annotations

import msgspec
import pytest

from lockship.deploy import names
from lockship.deploy.operate import plans
from lockship.deploy.proxy import edit
from lockship.deploy.steps import CreateContainer, HostPlan, ShipImage, Step
from lockship.errors import RefusedError
from lockship.lock.model import Lock
from lockship.lock.role import Role
from tests.unit.deploy.samples import make_artifact, make_lock, make_made
from tests.unit.deploy.simulation import SimulatedHost
from tests.unit.deploy.test_plan import carry_out, kinds, plan_on, steps_of
from tests.unit.deploy.test_routing import behind

TWO_ROLES = {"web": Role(hosts=("web1",)), "worker": Role(hosts=("web1",))}


def deployed(*locks: Lock) -> SimulatedHost:
    host = SimulatedHost("web1")
    for lock in locks:
        carry_out(host, lock, steps_of(plan_on(host, lock)))
    return host


def stop(host: SimulatedHost, lock: Lock, role: str | None = None) -> HostPlan:
    return plans.stop(lock, host.observe(make_artifact(lock)), role)


def start(host: SimulatedHost, lock: Lock, role: str | None = None) -> HostPlan:
    artifact = make_artifact(lock)
    return plans.start(lock, make_made(lock), host.observe(artifact), role)


def restart(host: SimulatedHost, lock: Lock) -> HostPlan:
    artifact = make_artifact(lock)
    return plans.restart(lock, make_made(lock), host.observe(artifact), None)


def remove(host: SimulatedHost, lock: Lock, role: str | None = None) -> HostPlan:
    return plans.remove(lock, host.observe(make_artifact(lock)), role)


def do(host: SimulatedHost, lock: Lock, made: HostPlan) -> list[Step]:
    carry_out(host, lock, steps_of(made))
    return steps_of(made)


def test_stop_holds_the_route_before_it_drains_and_stops() -> None:
    lock = behind("one")
    host = deployed(lock)
    assert kinds(stop(host, lock).switch) == ["ChangeRoute", "DrainContainer", "StopContainer"]
    do(host, lock, stop(host, lock))
    assert host.routed() is None
    assert edit.is_held(host.routes["shop"])
    assert host.serving() == []
    assert stop(host, lock).empty


def test_start_brings_back_what_stop_stopped() -> None:
    lock = behind("one")
    host = deployed(lock)
    before = host.routes["shop"]
    do(host, lock, stop(host, lock))
    assert kinds(start(host, lock).switch) == ["StartContainer", "ProbeContainer", "SwitchRoute"]
    do(host, lock, start(host, lock))
    assert host.routes["shop"] == before
    assert start(host, lock).empty
    assert plan_on(host, lock).empty


@pytest.mark.parametrize("again", ["one", "two"])
def test_a_deploy_after_a_stop_starts_again(again: str) -> None:
    lock, goal = behind("one"), behind(again)
    host = deployed(lock)
    do(host, lock, stop(host, lock))
    made = plan_on(host, goal)
    brings = any(isinstance(step, CreateContainer | ShipImage) for step in made.stage)
    assert brings == (lock != goal)
    do(host, goal, made)
    routed = host.routed()
    assert routed is not None
    assert routed.name == names.container_name(goal, "web")
    assert plan_on(host, goal).empty


def test_a_rollback_after_a_stop_serves_the_version_before() -> None:
    old, new = behind("one"), behind("two")
    host = deployed(old, new)
    do(host, new, stop(host, new))
    do(host, old, plan_on(host, old, "rollback"))
    assert [each.name for each in host.serving()] == [names.container_name(old, "web")]


def test_a_rollback_to_a_container_that_is_there_is_a_switch() -> None:
    old, new = behind("one"), behind("two")
    host = deployed(old, new)
    done = kinds(tuple(steps_of(plan_on(host, old, "rollback"))))
    assert not {"ShipImage", "CreateContainer"} & set(done)
    way = ["StartContainer", "ProbeContainer", "SwitchRoute", "DrainContainer", "StopContainer"]
    assert [each for each in done if each in way] == way


def test_start_and_restart_act_on_the_lock_only() -> None:
    host, other = deployed(make_lock("one")), make_lock("two")
    for act in (start, restart):
        with pytest.raises(RefusedError, match="web1: no container of shop") as caught:
            act(host, other)
        assert "lockship deploy" in caught.value.hint


def test_stop_needs_no_lock_that_fits() -> None:
    host, other = deployed(make_lock("one")), make_lock("two")
    do(host, other, stop(host, other))
    assert host.serving() == []


def test_restart_answers_503_meanwhile_and_serves_again() -> None:
    lock = behind("one")
    host = deployed(lock)
    before = host.routes["shop"]
    done = do(host, lock, restart(host, lock))
    assert kinds(tuple(done)) == [
        "ChangeRoute",
        "DrainContainer",
        "StopContainer",
        "StartContainer",
        "ProbeContainer",
        "SwitchRoute",
    ]
    assert host.routes["shop"] == before


def test_one_role_is_stopped_and_the_other_goes_on() -> None:
    lock = make_lock(roles=TWO_ROLES)
    host = deployed(lock)
    do(host, lock, stop(host, lock, "worker"))
    assert [each.labels[names.ROLE] for each in host.serving()] == ["web"]
    do(host, lock, start(host, lock, "worker"))
    assert len(host.serving()) == 2


def test_remove_leaves_nothing_but_what_an_auditor_needs() -> None:
    old, new = behind("one"), behind("two")
    host = deployed(old, new)
    host.routes["blog"] = "{}"
    do(host, new, remove(host, new))
    assert (host.containers, host.images, host.releases) == ({}, set(), ())
    assert host.routes == {"blog": "{}"}
    assert host.stored == {old.fingerprint, new.fingerprint}
    assert remove(host, new).empty
    do(host, new, plan_on(host, new))
    assert host.routed() is not None


def test_remove_of_a_role_keeps_images_and_releases() -> None:
    lock = make_lock(roles=TWO_ROLES)
    host = deployed(lock)
    do(host, lock, remove(host, lock, "worker"))
    assert [each.labels[names.ROLE] for each in host.serving()] == ["web"]
    assert host.images
    assert host.releases
    do(host, lock, plan_on(host, lock))
    assert len(host.serving()) == 2


def test_a_route_file_that_is_no_json_is_held_as_it_is() -> None:
    assert edit.held("http: {}\n") == "http: {}\n"
    assert edit.held("[]") == "[]"


def test_each_step_says_what_it_does() -> None:
    lock = behind("one")
    host = deployed(lock)
    texts = [step.text for step in [*steps_of(stop(host, lock)), *steps_of(remove(host, lock))]]
    assert texts[0] == "answer 503 for shop"
    assert "forget all releases" in texts
    encoded = msgspec.json.decode(msgspec.json.encode(stop(host, lock)))
    assert encoded["switch"][0]["do"] == "change-route"
