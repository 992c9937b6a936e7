"""One host of four fails behind the proxy, at each moment of a deploy, under load.

The others lose no request and are never left half-way; the command ends within its limit and says
where the fleet is; and once the fault is gone the same command ends the job, with nothing left.
"""

from __future__ import annotations

import http.client
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import product

import pytest

from tests.fleet.failing.background import started_in
from tests.fleet.proxy.conftest import config, release, service
from tests.fleet.proxy.faults import FAULTS
from tests.fleet.proxy.load import Load, load
from tests.fleet.proxy.test_killed import nothing_left
from tests.fleet.proxy.test_rollout import running
from tests.fleet.proxy.test_shared import ask
from tests.fleet.shop import Shop
from tests.harness import Fleet, until
from tests.harness.images import TRAEFIK, ensure_traefik

HOSTS = ("web1", "web2", "web3", "web4")
STRUCK = "web2"
MOMENTS = {
    "stage": "store lock",
    "started": "start",
    "before the switch": "probe",
    "in the switch": "see that",
    "route renamed": "route",
    "before the old one stops": "record",
    "drained": "drain",
    "in finish": "stop",
}
"""The step whose end the fault follows, on the host that it strikes."""
SAMPLE = (
    ("connection cut", "started"),
    ("connection cut", "route renamed"),
    ("connection cut", "before the old one stops"),
    ("engine killed", "in the switch"),
    ("network dropped", "before the switch"),
    ("host frozen", "route renamed"),
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "moment" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-fault", default=False)
        cases = [*product(FAULTS, MOMENTS)] if every else SAMPLE
        metafunc.parametrize(("fault", "moment"), cases)


@pytest.fixture(scope="module")
def four(with_traefik: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A service on four hosts."""
    fleet = with_traefik
    try:
        with fleet.extra_host(HOSTS[3]) as extra:
            for host in (fleet[HOSTS[2]], extra):
                ensure_traefik(host.engine)
            text = config(hosts=HOSTS, more="[deploy]\nretain = 1\nconnect-timeout = 8\n")
            folder = tmp_path_factory.mktemp("four") / "shop"
            shop = service(fleet, folder, text.replace("drain = 10", "drain = 3"))
            release(shop, "one")
            release(shop, "two")
            yield shop
    finally:
        fleet.reset(keep=TRAEFIK)


@contextmanager
def loads(shop: Shop) -> Iterator[dict[str, Load]]:
    with ExitStack() as stack:
        yield {
            host: stack.enter_context(
                load(shop.fleet[host].address, "shop.test", pause=0.2, timeout=8)
            )
            for host in HOSTS
        }


def serves(shop: Shop, host: str) -> str:
    """Which version answers at this host; '' where none does."""
    try:
        return ask(shop.fleet[host].address, "shop.test")
    except (OSError, http.client.HTTPException):
        return ""


def test_one_host_of_four_fails(
    four: Shop, fault: str, moment: str, record_property: Callable[[str, object], None]
) -> None:
    shop, injected, others = four, FAULTS[fault], [host for host in HOSTS if host != STRUCK]
    struck = shop.fleet[STRUCK]
    old, old_version = serves(shop, STRUCK), shop.lock()["service"]["version"]
    new = f"{fault}, {moment}"
    shop.write("version", f"{new}\n")
    version = shop.commit(f"Say {new}")
    shop.run("prepare")
    shop.run("build")
    try:
        with loads(shop) as asked:
            with started_in(shop.folder, shop.fleet.env(), "deploy") as deploy:
                deploy.saw(f"{STRUCK}  {MOMENTS[moment]}", "done")
                deploy.signal(signal.SIGSTOP)
                injected.inject(struck)
                deploy.signal(signal.SIGCONT)
                begin = time.monotonic()
                said = deploy.ends(5, limit=injected.limit)
                took = time.monotonic() - begin
            among_others = {serves(shop, host) for host in others}
    finally:
        injected.mend(struck)
    until(lambda: serves(shop, STRUCK) in (old, new), 30, f"{STRUCK} to answer")
    served = {f"shop-web-{each}" for each in (version, old_version)}
    assert {each.rpartition("-")[0] for each in running(shop, STRUCK)} <= served
    failed = {host: each.failures for host, each in asked.items()}
    told = (
        f"exit 5 after {took:.1f} s, {len(failed[STRUCK])} of {asked[STRUCK].requests} failed there"
    )
    record_property(new, told)
    assert "`lockship deploy` finishes the job" in said
    if "Every host was switched" in said:
        assert f"{STRUCK}: was switched to {version}; the old container may still run" in said
        assert among_others == {serves(shop, STRUCK)} == {new}
    else:
        assert among_others == {old}
        for host in others:
            assert f"{host}: serves what it served ({old_version}); the deploy is taken" in said
        if "no host was switched" in said:
            assert serves(shop, STRUCK) == old
        else:
            assert f"The deploy failed in the switch, and {STRUCK} couldn't be brought back" in said
            may = f"the old version ({old_version}), the new one ({version}) or neither"
            assert f"{STRUCK}: not brought back; it may serve {may}" in said
    assert [host for host in others if failed[host]] == []
    assert injected.costs or failed[STRUCK] == []
    with loads(shop) as asked:
        shop.run("deploy")
    assert [failure for each in asked.values() for failure in each.failures] == []
    for host in HOSTS:
        assert serves(shop, host) == new
        nothing_left(shop, host, version)


def test_no_journal_has_a_gap_after_them(four: Shop) -> None:
    four.commit("Keep the last lock")
    four.run("status")
    four.run("audit", "verify", "--hosts")
