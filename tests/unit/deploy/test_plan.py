from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockship.deploy import names
from lockship.deploy.assets.steps import BridgeAssets
from lockship.deploy.plan import plan, releases_after
from lockship.deploy.state import Holder
from lockship.deploy.steps import (
    CreateContainer,
    HostPlan,
    ProbeContainer,
    Release,
    ShipImage,
    StartContainer,
    Step,
    StopContainer,
)
from lockship.deploy.undo import undo
from lockship.errors import LockshipError
from lockship.host.types import Published
from lockship.lock.image import Artifact
from lockship.lock.model import Lock
from lockship.lock.role import Role
from tests.unit.deploy.samples import make_artifact, make_lock, sha
from tests.unit.deploy.simulation import SimulatedHost, StepFailed


def plan_on(host: SimulatedHost, lock: Lock, command: str = "deploy") -> HostPlan:
    artifact = make_artifact(lock)
    made = plan(lock, artifact, [host.observe(artifact)], command)  # type: ignore[arg-type]
    return made.hosts[0]


def steps_of(host_plan: HostPlan) -> list[Step]:
    return [*host_plan.stage, *host_plan.switch, *host_plan.finish]


def carry_out(host: SimulatedHost, lock: Lock, steps: list[Step]) -> None:
    for step in steps:
        host.apply(step, lock, make_artifact(lock))


def kinds(steps: tuple[Step, ...]) -> list[str]:
    return [type(step).__name__ for step in steps]


def test_a_first_deploy_stages_everything_and_switches_nothing() -> None:
    made = plan_on(SimulatedHost("web1"), make_lock())
    assert kinds(made.stage) == [
        "StoreLock",
        "ShipImage",
        "CreateContainer",
        "StartContainer",
        "ProbeContainer",
    ]
    assert made.switch == ()
    assert kinds(made.finish) == ["SetReleases"]


def test_an_unchanged_deploy_is_empty() -> None:
    host, lock = SimulatedHost("web1"), make_lock()
    carry_out(host, lock, steps_of(plan_on(host, lock)))
    assert plan_on(host, lock).empty


def test_without_a_port_in_the_way_the_new_one_is_healthy_before_the_old_one_stops() -> None:
    host, old, new = SimulatedHost("web1"), make_lock("one"), make_lock("two")
    carry_out(host, old, steps_of(plan_on(host, old)))
    made = plan_on(host, new)
    assert kinds(made.stage)[-2:] == ["StartContainer", "ProbeContainer"]
    assert [step.name for step in made.switch if isinstance(step, StopContainer)] == [
        names.container_name(old, "web")
    ]


def test_with_a_port_in_the_way_the_old_one_stops_first_and_comes_back_on_failure() -> None:
    roles = {"web": Role(hosts=("web1",), ports=("80:8000",))}
    old, new = make_lock("one", roles=roles), make_lock("two", roles=roles)
    host = SimulatedHost("web1")
    carry_out(host, old, steps_of(plan_on(host, old)))
    made = plan_on(host, new)
    assert "StartContainer" not in kinds(made.stage)
    assert kinds(made.switch) == ["StopContainer", "StartContainer", "ProbeContainer"]

    begun = [*made.stage, *made.switch]
    carry_out(host, new, begun)
    carry_out(host, new, list(undo(begun)))
    assert [each.name for each in host.serving()] == [names.container_name(old, "web")]


@pytest.mark.parametrize("ports", [(), ("80:8000",)])
def test_another_image_of_the_same_lock_takes_over_as_another_version_does(
    ports: tuple[str, ...],
) -> None:
    """Two machines without a registry build one lock: the same content, two image ids."""
    lock = make_lock(roles={"web": Role(hosts=("web1",), ports=ports)})
    host = SimulatedHost("web1")
    carry_out(host, lock, steps_of(plan_on(host, lock)))
    rebuilt = Artifact(key=make_artifact(lock).key, image_id=sha("built elsewhere"))

    def planned() -> HostPlan:
        return plan(lock, rebuilt, [host.observe(rebuilt)], "deploy").hosts[0]

    for step in planned().stage:
        host.apply(step, lock, rebuilt)
        assert names.container_name(lock, "web") in [each.name for each in host.serving()]
    begun = [*planned().stage, *planned().switch]
    for step in [*begun, *undo(begun), *steps_of(planned())]:
        host.apply(step, lock, rebuilt)
    assert [each.image_id for each in host.containers.values()] == [rebuilt.image_id]
    assert [each.state for each in host.containers.values()] == ["running"]
    assert planned().empty
    carry_out(host, lock, steps_of(plan_on(host, lock)))
    assert list(host.containers) == [names.container_name(lock, "web")]


def test_an_address_of_its_own_is_not_in_the_way() -> None:
    one = {"web": Role(hosts=("web1",), ports=("127.0.0.1:80:8000",))}
    two = {"web": Role(hosts=("web1",), ports=("127.0.0.2:80:8000",))}
    host, old, new = SimulatedHost("web1"), make_lock("one", roles=one), make_lock("b", roles=two)
    carry_out(host, old, steps_of(plan_on(host, old)))
    assert "StartContainer" in kinds(plan_on(host, new).stage)


def test_a_port_of_a_stranger_is_refused_before_anything_starts() -> None:
    lock = make_lock(roles={"web": Role(hosts=("web1",), ports=("80:8000",))})
    artifact = make_artifact(lock)
    state = msgspec.structs.replace(
        SimulatedHost("web1").observe(artifact),
        holders=(Holder("their-nginx", "", (Published(80, 80, "tcp", "0.0.0.0"),)),),  # noqa: S104
    )
    with pytest.raises(LockshipError, match=r"web1: port 80/tcp is in use by .* their-nginx"):
        plan(lock, artifact, [state], "deploy")


def test_a_role_that_left_the_lock_is_stopped() -> None:
    both = {"web": Role(hosts=("web1",)), "worker": Role(hosts=("web1",))}
    host, old, new = SimulatedHost("web1"), make_lock("one", roles=both), make_lock("two")
    carry_out(host, old, steps_of(plan_on(host, old)))
    carry_out(host, new, steps_of(plan_on(host, new)))
    assert [each.labels[names.ROLE] for each in host.serving()] == ["web"]


def test_a_deploy_that_was_killed_before_it_was_recorded_is_probed_and_recorded() -> None:
    host, lock = SimulatedHost("web1"), make_lock()
    carry_out(host, lock, list(plan_on(host, lock).stage))
    again = plan_on(host, lock)
    assert not any(isinstance(step, CreateContainer | ShipImage) for step in again.stage)
    assert any(isinstance(step, ProbeContainer) for step in again.stage)
    assert kinds(again.finish) == ["SetReleases"]


def test_a_kept_container_is_started_again_and_not_created() -> None:
    host, old, new = SimulatedHost("web1"), make_lock("one"), make_lock("two")
    for lock in (old, new):
        carry_out(host, lock, steps_of(plan_on(host, lock)))
    back = plan_on(host, old, "rollback")
    assert not any(isinstance(step, CreateContainer | ShipImage) for step in back.stage)
    assert any(isinstance(step, StartContainer) for step in back.stage)


def test_what_a_rollback_needs_is_kept_and_the_rest_is_removed() -> None:
    host = SimulatedHost("web1")
    locks = [make_lock(f"content {n}", retain=2) for n in range(6)]
    for lock in locks:
        carry_out(host, lock, steps_of(plan_on(host, lock)))
    assert set(host.containers) == {names.container_name(lock, "web") for lock in locks[-3:]}
    assert host.images == {make_artifact(lock).image_id for lock in locks[-3:]}


def release(name: str) -> Release:
    return Release(name, f"fingerprint of {name}", f"image of {name}")


def test_a_second_rollback_goes_one_further_back() -> None:
    a, b, c = release("a"), release("b"), release("c")
    once = releases_after((a, b, c), b, 3, "rollback")
    assert once == (a, b)
    assert releases_after(once, a, 3, "rollback") == (a,)


def test_deploying_an_older_version_puts_it_on_top() -> None:
    a, b = release("a"), release("b")
    assert releases_after((a, b), a, 3, "deploy") == (b, a)


@given(st.lists(st.sampled_from("abcdef")), st.sampled_from("abcdef"), st.integers(1, 5))
def test_the_release_that_serves_is_always_the_last_and_the_list_is_short(
    before: list[str], now: str, retain: int
) -> None:
    known = tuple(release(name) for name in dict.fromkeys(before))
    for command in ("deploy", "rollback"):
        after = releases_after(known, release(now), retain, command)
        assert after[-1] == release(now)
        assert len(after) <= retain + 1
        assert len(set(after)) == len(after)


CONTENTS = st.sampled_from(["one", "two", "three", "four"])
ENDINGS = st.sampled_from(["killed", "fails", "ends"])
PORTS = st.sampled_from([(), ("80:8000",), ("127.0.0.1:80:8000",), ("81:8000",)])


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    names_of_roles = draw(st.lists(st.sampled_from(["web", "worker"]), min_size=1, unique=True))
    roles = {
        name: Role(
            hosts=("web1",),
            ports=draw(PORTS) if name == "web" else (),
            order=draw(st.sampled_from([None, "stop-first"])),
        )
        for name in names_of_roles
    }
    return make_lock(draw(CONTENTS), roles=roles, retain=draw(st.integers(1, 2)))


@given(
    st.lists(st.tuples(locks(), st.integers(0, 12), st.booleans(), ENDINGS), max_size=8),
    locks(),
)
def test_a_plan_converges_from_wherever_a_deploy_was_killed(
    history: list[tuple[Lock, int, bool, str]], goal: Lock
) -> None:
    """Deploys are killed after any number of steps, or fail and are undone; the next one ends."""
    host = SimulatedHost("web1")
    for lock, count, unhealthy, ending in history:
        host.broken = {names.container_name(lock, "web")} if unhealthy else set()
        made = plan_on(host, lock)
        before = {each.name for each in host.serving()}
        todo = steps_of(made) if ending == "ends" else steps_of(made)[:count]
        begun: list[Step] = []
        served = bool(host.releases) and bool(host.serving())
        try:
            for step in todo:
                begun.append(step)
                host.apply(step, lock, make_artifact(lock))
            if ending == "fails" and count <= len(made.stage) + len(made.switch):
                raise StepFailed("after this step")
        except StepFailed:
            for step in undo(begun):
                host.apply(step, lock, make_artifact(lock))
            assert before <= {each.name for each in host.serving()}, "what served is back"
        in_the_way = any(isinstance(step, StartContainer) for step in made.switch)
        if served and not in_the_way:
            assert host.serving(), "the service went down"
    host.broken = set()
    carry_out(host, goal, steps_of(plan_on(host, goal)))
    expected = {names.container_name(goal, role) for role in goal.roles}
    assert {each.name for each in host.serving()} == expected
    assert host.releases[-1].fingerprint == goal.fingerprint
    assert plan_on(host, goal).empty


def test_assets_are_bridged_before_the_new_one_starts() -> None:
    roles = {"web": Role(hosts=("web1",), assets="/app/assets")}
    host, before, after = SimulatedHost("web1"), make_lock(), make_lock("two", roles=roles)
    carry_out(host, before, steps_of(plan_on(host, before)))
    (old,) = host.containers
    planned = plan_on(host, after)
    assert kinds(planned.stage)[-4:] == [
        *("CreateContainer", "BridgeAssets", "StartContainer", "ProbeContainer"),
    ]
    (step,) = [step for step in planned.stage if isinstance(step, BridgeAssets)]
    assert (step.old, step.path) == (old, "/app/assets")
    carry_out(host, after, steps_of(planned))
    assert plan_on(host, after).empty
