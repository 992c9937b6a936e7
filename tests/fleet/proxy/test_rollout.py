"""Rollouts behind the real Traefik, under load: not one request may fail."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from lockship.deploy.proxy.route import upstream_of
from tests.fleet.proxy.conftest import HOSTS, config, release, service
from tests.fleet.proxy.load import Load, load
from tests.fleet.proxy.talk import Talk, talking
from tests.fleet.shop import Shop
from tests.harness import Fleet, until

SWITCHES = 50
DRAIN = 4
"""Seconds: enough for a download of a second, also where others keep the machine busy."""


def running(shop: Shop, host: str) -> list[str]:
    """The project's running containers, by name."""
    found = shop.containers(host, shop.lock()["service"]["name"])
    return [c["Name"].lstrip("/") for c in found if c["State"]["Running"]]


def test_a_first_deploy_boots_the_proxy_and_an_unchanged_one_does_nothing(shop: Shop) -> None:
    shop.run("prepare")
    shop.run("build")
    planned = shop.run("deploy", "--plan").stdout
    assert "boot the proxy, traefik:v3.7" in planned
    assert "route shop to" in planned
    assert shop.fleet["web1"].docker("ps", "-q") == ""
    shop.run("deploy")
    for host in HOSTS:
        with load(shop.fleet[host].address, "shop.test") as asked:
            time.sleep(0.5)
        assert asked.failures == []
        assert list(asked.versions) == ["none"]
    assert "nothing was to be done" in shop.run("deploy").stderr
    shop.run("status")


@pytest.mark.timeout(0)
def test_deploys_and_rollbacks_under_load_lose_no_request(
    proxied: Fleet,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    """Fifty of them, to new containers and to kept ones, and now and then a WebSocket is open."""
    wanted = int(pytestconfig.getoption("switches", default=None) or SWITCHES)
    shop = service(proxied, tmp_path / "shop", config().replace("drain = 10", f"drain = {DRAIN}"))
    one, two = release(shop, "one"), release(shop, "two")
    addresses = [shop.fleet[host].address for host in HOSTS]
    talks: list[Talk] = []
    with ExitStack() as stack:
        asked = [stack.enter_context(load(each, "shop.test", pause=0.05)) for each in addresses]
        begin = time.monotonic()
        for number in range(wanted):
            with ExitStack() as held:
                if number % 16 == 3:
                    talks += [held.enter_context(talking(each, "shop.test")) for each in addresses]
                switch(shop, number, one, two)
            for talk, each in zip(talks[-len(asked) :], asked, strict=False):
                if number % 16 == 3:
                    drained_as_configured(talk, each)
        took = time.monotonic() - begin
    told = f"{wanted} switches of {len(HOSTS)} hosts in {took:.0f} s, {len(talks)} WebSockets; "
    record_property("under load", told + "; ".join(map(str, asked)))
    for each in asked:
        assert each.failures == []
        assert set(each.versions) == {"one", "two"}
    for host in HOSTS:
        assert len(running(shop, host)) == 1


def switch(shop: Shop, number: int, one: bytes, two: bytes) -> None:
    """From two to one and back: a rollback, then a new container, then kept ones."""
    lockfile = shop.folder / ".shiplock"
    if number % 4 == 0:
        shop.run("rollback")
        assert lockfile.read_bytes() == one
    else:
        lockfile.write_bytes(one if number % 2 == 0 else two)
        shop.run("deploy")


def drained_as_configured(talk: Talk, asked: Load) -> None:
    """It went on for as long as `drain` lets it after the switch, and then was told to go."""
    assert talk.failure is None
    assert talk.said > 0
    assert DRAIN - 0.5 <= talk.ended - asked.changed <= DRAIN + 10


def check_route(shop: Shop, host: str) -> None:
    """The route file leads to the container that runs."""
    name = shop.lock()["service"]["name"]
    file = shop.fleet[host].home / f".lockship/_proxy/dynamic/{name}.yml"
    (one,) = [c for c in shop.containers(host, name) if c["State"]["Running"]]
    assert one["Config"]["Labels"]["dev.lockship.upstream"] == upstream_of(file.read_text())


def test_a_version_that_does_not_get_healthy_changes_no_route(shop: Shop) -> None:
    release(shop, "good")
    before = (shop.fleet["web1"].home / ".lockship/_proxy/dynamic/shop.yml").read_bytes()
    shop.write("Dockerfile", 'FROM python:3.11-slim\nCMD ["python3", "-c", "1/0"]\n')
    shop.commit("Break it")
    shop.run("prepare")
    with load(shop.fleet["web1"].address, "shop.test") as asked:
        shop.run("deploy", expect=1)
    assert asked.failures == []
    assert list(asked.versions) == ["good"]
    assert (shop.fleet["web1"].home / ".lockship/_proxy/dynamic/shop.yml").read_bytes() == before


def test_one_host_that_does_not_switch_brings_all_back_and_a_hung_one_keeps_both(
    shop: Shop, tmp_path: Path
) -> None:
    """Two services at the same time, since each waits for its proxy until that must have answered.

    Law 6: web2's proxy can't read its files, so it never follows; web1 goes back to the old. web3's
    hangs: nobody knows where it sends requests to, so neither version may go.
    """
    blog = service(
        shop.fleet, tmp_path / "blog", config("blog", ("web3",), 'hosts = ["blog.test"]\n')
    )
    for each in (shop, blog):
        release(each, "old")
        each.write("version", "new\n")
        each.commit("Say new")
        each.run("prepare")
        each.run("build")
    web3, hosts = shop.fleet["web3"], [shop.fleet[host] for host in HOSTS]
    folder = hosts[1].home / ".lockship/_proxy/dynamic"
    (folder / "broken.yml").write_text("http: [\n")
    process = web3.docker("inspect", "--format", "{{.State.Pid}}", "lockship-proxy").strip()
    web3.run("kill", "-STOP", process)
    with ExitStack() as stack:
        asked = [stack.enter_context(load(each.address, "shop.test", pause=0.05)) for each in hosts]
        with ThreadPoolExecutor() as both:
            back = both.submit(shop.run, "deploy", expect=4)
            stuck = both.submit(blog.run, "deploy", expect=5)
        said = back.result().stderr
        assert "web2: the proxy doesn't serve the route of shop" in said
        assert "the proxy doesn't serve the route of blog" in stuck.result().stderr
        assert len(running(blog, "web3")) == 2
        web3.run("kill", "-CONT", process)
        (folder / "broken.yml").unlink()
        asked.append(stack.enter_context(load(web3.address, "blog.test", pause=0.05)))
        for each in (shop, blog):
            each.run("deploy")
    assert [failure for each in asked for failure in each.failures] == []
    for service_, host in ((shop, "web1"), (shop, "web2"), (blog, "web3")):
        assert len(running(service_, host)) == 1
        check_route(service_, host)


def test_a_restarted_container_is_found_at_its_new_address(shop: Shop) -> None:
    """As after a host's reboot: the route names it, not its address."""
    release(shop, "one")
    host = shop.fleet["web1"]
    (name,) = running(shop, "web1")
    host.docker("stop", "-t", "0", name)
    host.docker("run", "-d", "--network", "lockship", "--name", "squatter", "--entrypoint",
                "/usr/local/bin/python3", shop.lock()["artifact"]["image-id"], "-c",
                "import time; time.sleep(1000)")  # fmt: skip
    host.docker("start", name)
    until(lambda: answers(host.address), 30, "the container that was started again")
    with load(host.address, "shop.test") as asked:
        time.sleep(1)
    assert asked.failures == []


def answers(address: str) -> bool:
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request("GET", "/", headers={"Host": "shop.test"})
        return connection.getresponse().status == 200
    finally:
        connection.close()


def test_a_service_that_leaves_the_proxy_takes_its_route_along(
    proxied: Fleet, tmp_path: Path
) -> None:
    shop = service(proxied, tmp_path / "shop", config(hosts=("web1",)))
    release(shop, "one")
    text = config(hosts=("web1",)).partition("[proxy]")[0]
    shop.write("lockship.toml", text.replace("proxy = true", 'ports = ["8081:8000"]'))
    release(shop, "two")
    assert shop.get("web1", 8081) == "two"
    assert [p.name for p in (proxied["web1"].home / ".lockship/_proxy/dynamic").iterdir()] == [
        "README"
    ]
    assert len(running(shop, "web1")) == 1
