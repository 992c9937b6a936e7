"""New secrets under the same lock: new containers beside the old ones, then instead of them."""

from __future__ import annotations

import msgspec
import pytest

from lockship.deploy import names
from lockship.deploy.plan import Command, plan
from lockship.deploy.proxy.judge import judge
from lockship.deploy.steps import HostPlan, Step
from lockship.deploy.undo import undo
from lockship.lock.fingerprint import sealed
from lockship.lock.model import Lock
from lockship.lock.proxy import Proxy, ProxyServer, ProxyTls
from lockship.lock.role import Role
from tests.unit.deploy.samples import make_artifact
from tests.unit.deploy.simulation import SimulatedHost
from tests.unit.deploy.test_routing import PROXY, behind, carry_out, kinds, steps_of

ON = ("web1",)


def with_secrets(proxy: Proxy = PROXY, web: tuple[str, ...] = ("TOKEN",)) -> Lock:
    """A service behind the proxy, a worker with secrets and one without."""
    lock = behind(proxy=proxy, job=Role(hosts=ON, secrets=("TOKEN",)), idle=Role(hosts=ON))
    roles = lock.roles | {"web": Role(hosts=ON, proxy=True, secrets=web)}
    return sealed(msgspec.structs.replace(lock, roles=roles, secrets={"TOKEN": "env:TOKEN"}))


def plan_on(host: SimulatedHost, lock: Lock, command: Command) -> HostPlan:
    artifact = make_artifact(lock)
    return plan(lock, artifact, [host.observe(artifact)], command).hosts[0]


def deployed(lock: Lock) -> SimulatedHost:
    host = SimulatedHost("web1")
    carry_out(host, lock, steps_of(plan_on(host, lock, "deploy")))
    return host


def refreshed(host: SimulatedHost, lock: Lock) -> list[Step]:
    steps = steps_of(plan_on(host, lock, "refresh-secrets"))
    carry_out(host, lock, steps)
    return steps


def running(host: SimulatedHost) -> set[str]:
    return {each.name for each in host.serving()}


def of(lock: Lock, role: str, generation: int) -> str:
    name = names.container_name(lock, role)
    return names.renewed(name, generation) if generation else name


def test_roles_with_secrets_get_new_containers_once_each_time() -> None:
    lock = with_secrets()
    host = deployed(lock)
    made = plan_on(host, lock, "refresh-secrets")
    assert kinds(made.stage) == ["CreateContainer"] * 2 + ["StartContainer", "ProbeContainer"] * 2
    assert "SwitchRoute" in kinds(made.switch)
    assert "DrainContainer" in kinds(made.finish)
    for generation in (1, 2):
        refreshed(host, lock)
        assert running(host) == {
            of(lock, "web", generation),
            of(lock, "job", generation),
            of(lock, "idle", 0),
        }
        assert len(host.containers) == 3, "the old ones are removed"
        assert plan_on(host, lock, "deploy").empty
        built = msgspec.structs.replace(lock, artifact=make_artifact(lock))
        row = judge(built, host.observe(make_artifact(lock)))
        assert row is not None
        assert row.verdict == "as locked"


def test_on_a_host_without_the_service_it_is_a_deploy() -> None:
    lock, host = with_secrets(), SimulatedHost("web1")
    refreshed(host, lock)
    assert running(host) == {of(lock, role, 0) for role in ("web", "job", "idle")}


def test_a_certificate_from_secrets_renews_the_role_behind_the_proxy() -> None:
    tls = ProxyTls(certificate="TOKEN", key="TOKEN")
    server = ProxyServer(https_port=443)
    proxy = Proxy(port=8000, hosts=("shop.example.com",), tls=tls, server=server)
    lock = with_secrets(proxy, web=())
    host = deployed(lock)
    before = host.routes["shop"]
    refreshed(host, lock)
    assert of(lock, "web", 1) in running(host)
    assert host.routes["shop"] != before, "another certificate's path"


@pytest.mark.parametrize("command", ["deploy", "refresh-secrets"])
def test_wherever_it_is_killed_the_route_leads_to_one_that_runs_and_the_next_one_ends_it(
    command: Command,
) -> None:
    lock = with_secrets()
    count = len(steps_of(plan_on(deployed(lock), lock, "refresh-secrets")))
    for killed_after in range(count + 1):
        host = deployed(lock)
        for step in steps_of(plan_on(host, lock, "refresh-secrets"))[:killed_after]:
            host.apply(step, lock, make_artifact(lock))
            routed = host.routed()
            assert routed is not None
            assert routed.state == "running"
        carry_out(host, lock, steps_of(plan_on(host, lock, command)))
        assert len(running(host)) == len(host.containers) == 3
        assert plan_on(host, lock, "deploy").empty


def test_undo_leaves_the_old_containers_as_they_were() -> None:
    lock = with_secrets()
    host = deployed(lock)
    before, routes = running(host), dict(host.routes)
    made = plan_on(host, lock, "refresh-secrets")
    carry_out(host, lock, [*made.stage, *made.switch])
    carry_out(host, lock, list(undo([*made.stage, *made.switch])))
    assert running(host) == before
    assert host.routes == routes
