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
from dataclasses import dataclass
from itertools import product

import pytest

from tests.fleet.failing.background import started_in
from tests.fleet.proxy.conftest import config, release, service
from tests.fleet.proxy.faults import ENGINE_CALL, FAULTS
from tests.fleet.proxy.load import Load, load
from tests.fleet.proxy.test_killed import nothing_left
from tests.fleet.proxy.test_rollout import running
from tests.fleet.proxy.test_shared import ask
from tests.fleet.shop import Shop
from tests.harness import Fleet, until
from tests.harness.images import TRAEFIK, ensure_traefik

HOSTS = ("web1", "web2", "web3", "web4")
STRUCK = "web2"
OTHERS = tuple(host for host in HOSTS if host != STRUCK)
MOMENTS = {
    "connected": "connect",
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


@dataclass(frozen=True)
class Deploy:
    """One that is struck. `old` and `new` are commits' versions; what they serve is in `texts`."""

    shop: Shop
    old: str
    new: str
    texts: tuple[str, str]

    @classmethod
    def prepared(cls, shop: Shop, text: str) -> Deploy:
        old, former = shop.lock()["service"]["version"], serves(shop, STRUCK)
        shop.write("version", f"{text}\n")
        version = shop.commit(f"Say {text}")
        shop.run("prepare")
        shop.run("build")
        return cls(shop, old, version, (former, text))

    def told_truly(self, said: str) -> None:
        """What it said of each host is what is so, now that the fault is gone."""
        there, elsewhere = serves(self.shop, STRUCK), {serves(self.shop, host) for host in OTHERS}
        assert elsewhere == {self.texts["Every host was switched" in said]}
        if "nothing was changed" in said:
            assert there == self.texts[0]
            return
        assert "`lockship deploy` finishes the job" in said
        if "Every host was switched" in said:
            assert f"{STRUCK}: was switched to {self.new}; the old container may still run" in said
            assert there == self.texts[1]
            return
        for host in OTHERS:
            assert f"{host}: serves what it served ({self.old}); the deploy is taken back" in said
        if "no host was switched" in said:
            assert there == self.texts[0]
            assert f"{STRUCK}: not switched ({self.old}); what the deploy had started may" in said
        else:
            assert f"The deploy failed in the switch, and {STRUCK} couldn't be brought back" in said
            may = f"the old version ({self.old}), the new one ({self.new}) or neither"
            assert f"{STRUCK}: not brought back; it may serve {may}" in said
            assert there in self.texts


def test_one_host_of_four_fails(
    four: Shop, fault: str, moment: str, record_property: Callable[[str, object], None]
) -> None:
    shop, injected, struck = four, FAULTS[fault], four.fleet[STRUCK]
    status, limit = 5, injected.limit
    if moment == "connected":  # no mutex is held yet that could be lost
        status, limit = 1, max(limit, ENGINE_CALL + 15)
    prepared = Deploy.prepared(shop, f"{fault}, {moment}")
    try:
        with loads(shop) as asked, started_in(shop.folder, shop.fleet.env(), "deploy") as deploy:
            deploy.saw(f"{STRUCK}  {MOMENTS[moment]}", "done")
            deploy.signal(signal.SIGSTOP)
            injected.inject(struck)
            deploy.signal(signal.SIGCONT)
            begin = time.monotonic()
            said = deploy.ends(status, limit=limit)
            took = time.monotonic() - begin
    finally:
        injected.mend(struck)
    until(lambda: serves(shop, STRUCK) in prepared.texts, 30, f"{STRUCK} to answer")
    for name in running(shop, STRUCK):  # one that was stopped before isn't among them
        assert any(each in name for each in (prepared.old, prepared.new))
    count = {host: f"{len(each.failures)} of {each.requests}" for host, each in asked.items()}
    told = f"exit {status} after {took:.1f} s, {count[STRUCK]} requests failed there"
    record_property(prepared.texts[1], told)
    prepared.told_truly(said)
    assert [host for host in OTHERS if asked[host].failures] == []
    assert injected.costs or asked[STRUCK].failures == []
    with loads(shop) as asked:
        shop.run("deploy")
    assert [failure for each in asked.values() for failure in each.failures] == []
    for host in HOSTS:
        assert serves(shop, host) == prepared.texts[1]
        nothing_left(shop, host, prepared.new)


def test_no_journal_has_a_gap_after_them(four: Shop) -> None:
    four.commit("Keep the last lock")
    four.run("status")
    four.run("audit", "verify", "--hosts")
