"""The proxy's part of plans: the route never points to a stopped container."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockship.deploy import names
from lockship.deploy.plan import plan
from lockship.deploy.proxy import route
from lockship.deploy.proxy.routing import announcement
from lockship.deploy.state import Holder
from lockship.deploy.steps import (
    DrainContainer,
    HostPlan,
    ProbeContainer,
    RemoveContainer,
    RemoveRoute,
    StartContainer,
    Step,
    StopContainer,
    SwitchRoute,
)
from lockship.deploy.undo import undo
from lockship.errors import LockshipError, RefusedError
from lockship.host.types import Container, Published
from lockship.lock.model import Lock
from lockship.lock.proxy import Proxy, ProxyServer, ProxyTls
from lockship.lock.role import Role
from lockship.lock.writer import sealed
from tests.unit.deploy.samples import make_artifact, make_lock
from tests.unit.deploy.simulation import SimulatedHost, StepFailed

PROXY = Proxy(port=8000, hosts=("shop.example.com",))


def behind(content: str = "one", proxy: Proxy | None = PROXY, **more: Role) -> Lock:
    """A lock whose role web is behind the proxy; `proxy` None: one that publishes its port."""
    web = Role(hosts=("web1",), proxy=True) if proxy else Role(hosts=("web1",), ports=("81:80",))
    lock = make_lock(content, roles={"web": web, **more})
    return sealed(msgspec.structs.replace(lock, proxy=proxy))


def plan_on(host: SimulatedHost, lock: Lock) -> HostPlan:
    artifact = make_artifact(lock)
    return plan(lock, artifact, [host.observe(artifact)], "deploy").hosts[0]


def steps_of(made: HostPlan) -> list[Step]:
    return [*made.stage, *made.switch, *made.finish]


def carry_out(host: SimulatedHost, lock: Lock, steps: list[Step]) -> None:
    for step in steps:
        host.apply(step, lock, make_artifact(lock))


def deployed(*locks: Lock) -> SimulatedHost:
    host = SimulatedHost("web1")
    for lock in locks:
        carry_out(host, lock, steps_of(plan_on(host, lock)))
    return host


def kinds(steps: tuple[Step, ...]) -> list[str]:
    return [type(step).__name__ for step in steps]


def test_a_first_deploy_boots_the_proxy_and_routes_when_all_is_healthy() -> None:
    made = plan_on(SimulatedHost("web1"), behind())
    assert kinds(made.stage)[0] == "BootProxy"
    assert kinds(made.stage)[-1] == "ProbeContainer"
    assert kinds(made.switch) == ["ConfirmContainer", "SwitchRoute"]
    assert kinds(made.finish) == ["SetReleases"]


def test_the_old_one_is_drained_and_stopped_after_every_host_switched() -> None:
    old, new = behind("one"), behind("two")
    made = plan_on(deployed(old), new)
    assert kinds(made.switch) == ["ConfirmContainer", "SwitchRoute"]
    assert kinds(made.finish) == ["SetReleases", "DrainContainer", "StopContainer"]
    drain, stop = made.finish[1:]
    assert isinstance(drain, DrainContainer)
    assert isinstance(stop, StopContainer)
    assert drain.name == stop.name == names.container_name(old, "web")
    assert (drain.port, drain.limit) == (8000, 30.0)


def test_an_unchanged_deploy_is_empty() -> None:
    lock = behind()
    assert plan_on(deployed(lock), lock).empty


def test_a_lost_certificate_is_brought_again() -> None:
    lock = behind()
    host, artifact = deployed(lock), make_artifact(lock)
    state = host.observe(artifact)
    assert state.proxy
    lost = msgspec.structs.replace(state.proxy, certificate_lost=True)
    state = msgspec.structs.replace(state, proxy=lost)
    made = plan(lock, artifact, [state], "deploy").hosts[0]
    assert kinds(tuple(steps_of(made))) == ["SwitchRoute"]
    assert steps_of(made)[0].why == "the proxy has lost its certificate"


def test_a_proxy_that_can_not_serve_tls_is_refused_before_anything_starts() -> None:
    host = deployed(behind())
    proxy = Proxy(port=8000, hosts=("shop.example.com",), tls=ProxyTls(acme=True))
    with pytest.raises(RefusedError, match="has no port for HTTPS, which TLS needs"):
        plan_on(host, behind("two", proxy=proxy))


def test_undo_puts_the_former_route_back_and_drains_the_new_one_before_it_goes() -> None:
    old, new = behind("one"), behind("two")
    host = deployed(old)
    made = plan_on(host, new)
    back = undo([*made.stage, *made.switch])
    assert kinds(back) == ["SwitchRoute", "DrainContainer", "RemoveContainer"]
    before = dict(host.routes)
    carry_out(host, new, [*made.stage, *made.switch])
    assert host.routes != before
    carry_out(host, new, list(back))
    assert host.routes == before
    assert [each.name for each in host.serving()] == [names.container_name(old, "web")]


def test_undo_of_a_first_route_removes_it() -> None:
    made = plan_on(SimulatedHost("web1"), behind())
    assert kinds(undo([*made.stage, *made.switch])) == [
        "RemoveRoute",
        "DrainContainer",
        "RemoveContainer",
    ]


def test_a_killed_deploy_asks_the_proxy_again_before_it_stops_the_old_one() -> None:
    old, new = behind("one"), behind("two")
    host = deployed(old)
    made = plan_on(host, new)
    carry_out(host, new, [*made.stage, *made.switch])
    again = plan_on(host, new)
    assert kinds(again.switch) == ["ConfirmContainer", "SwitchRoute"]
    assert kinds(again.finish) == ["SetReleases", "DrainContainer", "StopContainer"]


def test_a_stopped_proxy_is_started_and_asked() -> None:
    lock = behind()
    host = deployed(lock)
    assert host.proxy
    host.proxy = msgspec.structs.replace(host.proxy, state="exited")
    made = plan_on(host, lock)
    assert kinds(made.stage) == ["BootProxy"]
    assert kinds(made.switch) == ["SwitchRoute"]


def test_a_proxy_with_other_settings_blocks_nothing_and_is_announced() -> None:
    other = behind("two", msgspec.structs.replace(PROXY, server=ProxyServer(image="traefik:v3.9")))
    host = deployed(behind("one"))
    assert "BootProxy" not in kinds(plan_on(host, other).stage)
    said = announcement(other, host.observe(make_artifact(other)))
    assert said == (
        "the proxy runs traefik:v3.7, and the lock has traefik:v3.9: "
        "`lockship proxy reboot` replaces it, and keeps all routes"
    )
    logging = behind("two", msgspec.structs.replace(PROXY, server=ProxyServer(access_log=True)))
    said = announcement(logging, host.observe(make_artifact(logging)))
    assert said is not None
    assert "has other settings than the lock's" in said
    same = behind("three")
    assert announcement(same, host.observe(make_artifact(same))) is None


def test_a_strangers_container_with_the_proxys_name_is_refused() -> None:
    host, lock = SimulatedHost("web1"), behind()
    host.proxy = Container("x", "lockship-proxy", "id", "running", {})
    with pytest.raises(LockshipError, match="isn't lockship's"):
        plan_on(host, lock)


def test_a_taken_port_is_refused_before_anything_starts() -> None:
    lock = behind()
    artifact = make_artifact(lock)
    holder = Holder("their-nginx", "", (Published(80, 80, "tcp", ""),))
    state = msgspec.structs.replace(SimulatedHost("web1").observe(artifact), holders=(holder,))
    with pytest.raises(LockshipError, match=r"80/tcp, which the proxy .* container their-nginx"):
        plan(lock, artifact, [state], "deploy")


@pytest.mark.parametrize(
    ("theirs", "refused"),
    [
        (Proxy(port=1, hosts=("shop.example.com",)), True),
        (Proxy(port=1, hosts=("a.test", "shop.example.com")), True),
        (Proxy(port=1, hosts=("shop.example.com",), path_prefixes=("/blog",)), False),
        (Proxy(port=1, hosts=("blog.example.com",)), False),
        (Proxy(port=1), False),
    ],
)
def test_the_same_host_and_path_is_refused_to_a_second_service(
    theirs: Proxy, refused: bool
) -> None:
    host, lock = SimulatedHost("web1"), behind()
    host.routes["blog"] = route.render(theirs, "blog", "x.web.blog:1")
    if refused:
        with pytest.raises(RefusedError, match=r"blog already claims shop\.example\.com/"):
            plan_on(host, lock)
    else:
        assert "SwitchRoute" in kinds(plan_on(host, lock).switch)


def test_a_service_that_leaves_the_proxy_takes_its_route_away_and_ends_drained() -> None:
    old, new = behind("one"), behind("two", None)
    host = deployed(old)
    made = plan_on(host, new)
    assert kinds(made.switch) == ["ConfirmContainer", "RemoveRoute"]
    assert kinds(made.finish) == ["SetReleases", "DrainContainer", "StopContainer"]
    (restored,) = undo(made.switch)
    assert isinstance(restored, SwitchRoute)
    assert restored.content == host.routes["shop"]
    carry_out(host, new, steps_of(made))
    assert host.routes == {}


CONTENTS = st.sampled_from(["one", "two", "three"])
PROXIES = st.sampled_from(
    [PROXY, None, Proxy(port=8000, path_prefixes=("/a", "/b"), strip_prefix=True)]
)


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    return behind(draw(CONTENTS), draw(PROXIES))


def served(host: SimulatedHost) -> Container | None:
    """Who answers requests: whom the route names, or who publishes a port."""
    published = [each for each in host.serving() if each.published]
    return host.routed() or (published[0] if published else None)


def must_answer(host: SimulatedHost, made: HostPlan) -> bool:
    """Whether someone answers all the time: unless, without a proxy, a port is in the way."""
    in_the_way = any(isinstance(step, StartContainer) for step in made.switch)
    return served(host) is not None and not in_the_way


def check(host: SimulatedHost, step: Step, answered: bool) -> None:
    routed = host.routed()
    assert routed is None or routed.state == "running", f"{step}: the route leads to nobody"
    assert served(host) or not answered, f"{step}: the service went down"
    if isinstance(step, StopContainer | RemoveContainer):
        assert step.name not in host.in_flight, f"{step}: requests were in flight there"


@settings(deadline=None)  # a busy machine is no bug
@given(
    st.lists(
        st.tuples(locks(), st.integers(0, 12), st.booleans(), st.booleans(), st.booleans()),
        max_size=7,
    ),
    locks(),
)
def test_the_route_never_leads_to_nobody_wherever_a_deploy_is_killed(
    history: list[tuple[Lock, int, bool, bool, bool]], goal: Lock
) -> None:
    """Deploys are killed after any step, or fail and are taken back; the next one ends.

    `dies`: a new container ends after it was healthy, while other hosts are waited for.
    """
    host = SimulatedHost("web1")
    for lock, killed_after, broken, deaf, dies in history:
        host.broken = {names.container_name(lock, "web")} if broken else set()
        host.deaf = deaf
        begun: list[Step] = []
        made = plan_on(host, lock)
        answered = must_answer(host, made)
        serving_before = {each.name for each in host.serving()}
        try:
            for step in steps_of(made)[:killed_after]:
                begun.append(step)
                host.apply(step, lock, make_artifact(lock))
                check(host, step, answered)
                if dies and isinstance(step, ProbeContainer) and step.name not in serving_before:
                    host.end(step.name)
        except StepFailed:
            for step in undo(begun):
                host.apply(step, lock, make_artifact(lock))
                check(host, step, answered)
    host.broken, host.deaf = set(), False
    made = plan_on(host, goal)
    answered = must_answer(host, made)
    for step in steps_of(made):
        host.apply(step, goal, make_artifact(goal))
        check(host, step, answered)
    assert [each.name for each in host.serving()] == [names.container_name(goal, "web")]
    if goal.proxy:
        routed = host.routed()
        assert routed is not None
        assert routed.name == names.container_name(goal, "web")
    else:
        assert host.routes == {}
    assert plan_on(host, goal).empty


def test_a_route_that_is_removed_says_what_it_was() -> None:
    step = RemoveRoute("shop", "{}", "because")
    assert step.text == "remove the route of shop"
