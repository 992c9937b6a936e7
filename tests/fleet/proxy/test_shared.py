"""One proxy for several services of a host, and the proxy's own commands."""

from __future__ import annotations

import fcntl
import http.client
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.fleet.proxy.conftest import config, release, service
from tests.fleet.proxy.load import load
from tests.fleet.shop import Shop
from tests.harness import Fleet, until
from tests.harness.cli import lockship_command
from tests.harness.hosts import TestHost
from tests.harness.images import TRAEFIK

ONE = ("web1",)


def ask(address: str, host: str, path: str = "/", port: int = 80) -> str:
    """The body of the answer; of another status than 200 the status."""
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        body = answer.read().decode()
        return body if answer.status == 200 else str(answer.status)
    finally:
        connection.close()


@pytest.fixture
def shop(proxied: Fleet, tmp_path: Path) -> Shop:
    return service(proxied, tmp_path / "shop", config(hosts=ONE))


def another(fleet: Fleet, folder: Path, name: str, proxy: str) -> Shop:
    return service(fleet, folder / name, config(name, ONE, proxy))


def waiting(host: TestHost, path: str) -> int:
    """How many of the host's shells have to do with a file."""
    commands = [Path(f"/proc/{pid}/cmdline") for pid in host.machine.pids("sh")]
    words = []
    for command in commands:
        with suppress(OSError):  # it ended meanwhile
            words.append(command.read_bytes().split(b"\0"))
    return sum(any(word.endswith(path.encode()) for word in each) for each in words)


def test_two_services_and_their_paths_share_a_proxy(shop: Shop, tmp_path: Path) -> None:
    release(shop, "shop 1")
    address = shop.fleet["web1"].address
    paths = 'hosts = ["shop.test"]\npath-prefixes = ["/blog", "/news/all"]\nstrip-prefix = true\n'
    blog = another(shop.fleet, tmp_path, "blog", paths)
    with load(address, "shop.test") as asked:
        release(blog, "blog 1")
        assert ask(address, "shop.test", "/blog") == "blog 1"
        assert ask(address, "shop.test", "/blog/path/x?y=1") == "/path/x?y=1"
        assert ask(address, "shop.test", "/news/all/path") == "/path"
        assert ask(address, "shop.test", "/blogs") == "shop 1"
        assert ask(address, "Shop.TEST:80", "/blog") == "blog 1"
        assert ask(address, "shop.test.", "/blog/../blogs") == "shop 1"
        assert ask(address, "other.test") == "404"
        release(blog, "blog 2")
        assert ask(address, "shop.test", "/blog") == "blog 2"
    assert asked.failures == []
    assert list(asked.versions) == ["shop 1"]
    assert (
        len(shop.fleet["web1"].docker("ps", "-q", "--filter", "name=lockship-proxy").split()) == 1
    )


def test_a_destination_is_another_service_to_the_proxy(shop: Shop) -> None:
    shop.write("lockship.staging.toml", '[proxy]\nhosts = ["staging.shop.test"]\n')
    release(shop, "both")
    shop.run("prepare", "-d", "staging")
    shop.run("deploy", "-d", "staging")
    address = shop.fleet["web1"].address
    assert ask(address, "shop.test") == ask(address, "staging.shop.test") == "both"


def test_the_same_host_name_and_path_is_refused_before_anything_starts(
    shop: Shop, tmp_path: Path
) -> None:
    release(shop, "mine")
    thief = another(shop.fleet, tmp_path, "thief", 'hosts = ["a.test", "shop.test"]\n')
    thief.run("prepare")
    thief.run("build")
    refused = thief.run("deploy", expect=3)
    assert "web1: shop already claims shop.test/" in refused.stderr
    assert thief.containers("web1", "thief") == []
    assert ask(shop.fleet["web1"].address, "a.test") == "404"

    # Who may not even see who claims what is told so, and starts nothing either.
    text = config("thief", ("deploy@web1",), 'hosts = ["a.test"]\n')
    thief.write("lockship.toml", text)
    thief.commit("By another login")
    thief.run("prepare")
    thief.run("build")
    refused = thief.run("deploy", expect=1)
    assert "the proxy's routes can't be read by this login" in refused.stderr
    assert "the login that booted the proxy" in refused.stderr
    assert thief.containers("web1", "thief") == []


def test_of_two_first_deploys_at_once_one_gets_the_route(shop: Shop, tmp_path: Path) -> None:
    """Both plans see nobody there; who comes second is taken back."""
    thief = another(shop.fleet, tmp_path, "thief", 'hosts = ["shop.test"]\n')
    claims = shop.fleet["web1"].home / ".lockship/_proxy/claims"
    claims.parent.mkdir(parents=True)
    with ExitStack() as stack:
        file = stack.enter_context(claims.open("w"))
        fcntl.flock(file, fcntl.LOCK_EX)  # nobody claims a route before both are so far
        deploys = []
        for each in (shop, thief):
            each.run("prepare")
            each.run("build")
            argv = lockship_command(["deploy"])
            process = subprocess.Popen(argv, cwd=each.folder, env=each.fleet.env())
            stack.callback(process.kill)
            deploys.append(process)
        until(lambda: shop.containers("web1"), 60, "shop's container")
        until(lambda: thief.containers("web1", "thief"), 60, "thief's container")
        until(lambda: waiting(shop.fleet["web1"], "/_proxy/claims") == 2, 60, "both to wait")
        assert list((claims.parent / "dynamic").glob("*.yml")) == []
        fcntl.flock(file, fcntl.LOCK_UN)
        assert sorted(process.wait(60) for process in deploys) == [0, 4]
    assert ask(shop.fleet["web1"].address, "shop.test") == "none"
    assert bool(shop.containers("web1")) != bool(thief.containers("web1", "thief"))
    assert len(list((claims.parent / "dynamic").glob("*.yml"))) == 1


def test_a_proxy_of_an_older_image_serves_on_and_a_reboot_keeps_all_routes(
    shop: Shop, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """The same program in another image: another name, another id."""
    (tmp_path / "older").mkdir()
    (tmp_path / "older/Dockerfile").write_text("FROM traefik:v3.7\nLABEL older=yes\n")
    older = "traefik:v3.6"
    shop.fleet.engine.docker("build", "--quiet", "--tag", older, str(tmp_path / "older"))
    text = config(hosts=ONE, more=f'[proxy.server]\nimage = "{older}"\n')
    shop.write("lockship.toml", text)
    release(shop, "shop 1")
    host = shop.fleet["web1"]

    def image() -> str:
        return host.docker("inspect", "--format", "{{.Image}}", "lockship-proxy").strip()

    was = image()
    assert shop.lock()["proxy"]["server"]["image"] == f"{older}@id:{was}"
    blog = another(shop.fleet, tmp_path, "blog", 'hosts = ["blog.test"]\n')
    release(blog, "blog")  # its lock has the newer one
    pin = blog.lock()["proxy"]["server"]["image"]
    new = pin.removeprefix("traefik:v3.7@id:")
    assert new not in (pin, was)
    brief = [each.removeprefix("sha256:")[:12] for each in (was, new)]
    said = (
        f"the proxy runs {older} ({brief[0]}), and the lock has traefik:v3.7 ({brief[1]}): "
        "`lockship proxy reboot` replaces it, and keeps all routes"
    )
    assert said in blog.run("deploy").stderr, "also where nothing is to be done"
    assert said in blog.run("deploy", "--plan").stderr
    assert shop.run("proxy", "boot", "--json").stdout == '{"booted":[]}\n'
    found = json.loads(shop.run("proxy", "status", "--json").stdout)["hosts"]
    assert [(row["host"], row["verdict"]) for row in found] == [("web1", "as locked")]
    claims = {each["project"]: each["claims"] for each in found[0]["routes"]}
    assert claims == {"blog": ["blog.test/"], "shop": ["shop.test/"]}

    shop.write("lockship.toml", config(hosts=ONE, more="[proxy.server]\naccess-log = true\n"))
    shop.commit("Take the newer one, and log accesses")
    shop.run("prepare")
    shop.run("proxy", "status", expect=3)
    with ExitStack() as stack:
        asked = [
            stack.enter_context(load(host.address, name, pause=0.05))
            for name in ("shop.test", "blog.test")
        ]
        assert said in shop.run("deploy").stderr
        assert [each.failures for each in asked] == [[], []]
        assert image() == was
        shop.run("proxy", "reboot")
    assert image() == new
    away = [float(failure.split()[0]) for each in asked for failure in each.failures]
    requests = sum(each.requests for each in asked)
    gap = max(away) - min(away) if away else 0.0
    told = f"{len(away)} of {requests} requests failed, within {gap:.1f} s"
    record_property("a reboot of the proxy under load", told)
    # 404: until the new one has read its files.
    ways = ("refused", "reset", "Broken pipe", "RemoteDisconnected", " 404 ")
    odd = [each for one in asked for each in one.failures if not any(way in each for way in ways)]
    assert odd == []
    assert gap < 10
    assert "as locked" in shop.run("proxy", "status").stdout
    assert ask(host.address, "shop.test") == "shop 1"
    assert ask(host.address, "blog.test") == "blog"
    assert "blog@file" in shop.run("proxy", "logs", "-n", "20").stdout
    assert said not in shop.run("deploy").stderr


def test_a_reboot_with_settings_that_do_not_work_keeps_the_old_proxy(shop: Shop) -> None:
    release(shop, "shop")
    host, image = shop.fleet["web1"], shop.lock()["artifact"]["image-id"]

    def reboot(server: str, expect: int) -> str:
        shop.write("lockship.toml", config(hosts=ONE, more=f"[proxy.server]\n{server}\n"))
        shop.commit(f"Take another proxy: {server}")
        shop.run("prepare")
        return shop.run("proxy", "reboot", expect=expect).stderr

    def containers() -> set[str]:
        return set(host.docker("ps", "--all", "--format", "{{.Names}}").split())

    before = containers()
    for engine in (shop.fleet.engine, host):
        engine.docker("tag", image, "traefik:v0")  # an image that is no proxy
    with load(host.address, "shop.test") as asked:
        failed = reboot('image = "traefik:v0"', expect=1)
    assert "lockship-proxy-trial" in failed or "the proxy" in failed
    assert asked.failures == []

    # What only shows once the old one has stopped: a port that a program of the host has.
    with port_taken(host, 8085):
        failed = reboot("http-port = 8085", expect=1)
    assert "web1: the proxy can't be replaced: the old one serves again" in failed
    assert "8085" in failed
    assert ask(host.address, "shop.test") == "shop"

    # And where the engine dies in that moment, nobody knows.
    with engine_that_dies_at_its_stop(shop, "lockship-proxy"):
        failed = reboot("http-port = 8086", expect=5)
    assert "web1: the proxy couldn't be replaced, nor brought back: nothing may listen" in failed
    assert "`lockship proxy boot` starts it; all routes are kept" in failed
    shop.run("proxy", "boot")
    shop.run("proxy", "reboot")
    assert ask(host.address, "shop.test", port=8086) == "shop"
    assert containers() == before


@contextmanager
def port_taken(host: TestHost, port: int) -> Iterator[None]:
    """By a program of the host, which Docker knows nothing of."""
    host.machine.spawn("python3", "-m", "http.server", str(port), log="squatter.log")
    try:
        address = f"localhost:{port}"
        until(lambda: host.run("curl", "-s", address, check=False).returncode == 0, 20, "it")
        yield
    finally:
        host.machine.kill("python3")


@contextmanager
def engine_that_dies_at_its_stop(shop: Shop, name: str) -> Iterator[None]:
    """As soon as the container doesn't run any more; it's started again at the end."""
    host = shop.fleet["web1"]
    pid = int(host.docker("inspect", "--format", "{{.State.Pid}}", name))
    ended = Event()

    def watch() -> None:
        while not ended.wait(0.005):
            if host.run("test", "-e", f"/proc/{pid}", check=False).returncode:
                host.kill_engine()
                return

    thread = Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        host.start_engine()


def test_removal_is_refused_while_a_service_is_routed(shop: Shop) -> None:
    release(shop, "shop")
    refused = shop.run("proxy", "remove", expect=3)
    assert "web1: shop" in refused.stderr
    shop.run("proxy", "remove", "--force")
    shop.run("proxy", "status", expect=3)
    shop.run("deploy")
    assert ask(shop.fleet["web1"].address, "shop.test") == "shop"


def test_a_taken_port_is_said_before_anything_starts(shop: Shop) -> None:
    release(shop, "shop")
    shop.run("proxy", "remove", "--force")
    image = shop.lock()["artifact"]["image-id"]
    shop.fleet["web1"].docker("run", "-d", "-p", "80:1", "--name", "squatter", image)
    failed = shop.run("deploy", expect=1)
    assert "port 80/tcp" in failed.stderr
    assert "squatter" in failed.stderr


def test_the_proxys_image_comes_from_this_machine_where_hosts_lack_it(
    proxied: Fleet, tmp_path: Path
) -> None:
    proxied["web3"].reset()  # an earlier test may have brought it
    shop = service(proxied, tmp_path / "shop", config(hosts=("web3",)))
    release(shop, "shipped")
    assert ask(proxied["web3"].address, "shop.test") == "shipped"
    (here,) = json.loads(proxied.engine.docker("image", "inspect", TRAEFIK[0]))
    (there,) = json.loads(proxied["web3"].docker("inspect", "lockship-proxy"))
    assert there["Image"] == here["Id"]
    assert shop.lock()["proxy"]["server"]["image"] == f"traefik:v3.7@id:{here['Id']}"


def test_requests_in_flight_end_before_the_old_container_does(shop: Shop) -> None:
    """What the old version began to send is whole, though it would end on SIGTERM at once."""
    release(shop, "one")
    shop.write("version", "two\n")
    shop.commit("Say two")
    shop.run("prepare")
    shop.run("build")
    with load(shop.fleet["web1"].address, "shop.test") as asked:
        shop.run("deploy")
    assert asked.failures == []
    assert set(asked.versions) == {"one", "two"}


def test_without_time_to_drain_requests_are_cut_and_the_load_sees_it(
    proxied: Fleet, tmp_path: Path
) -> None:
    text = config(hosts=ONE).replace("drain = 10", "drain = 0.01")
    shop = service(proxied, tmp_path / "shop", text)
    release(shop, "one")
    shop.write("version", "two\n")
    shop.commit("Say two")
    shop.run("prepare")
    shop.run("build")
    address = proxied["web1"].address
    with load(address, "shop.test") as asked:
        connection = http.client.HTTPConnection(address, timeout=60)
        # It would be answered with a 504 after half a minute, were it not cut.
        hanging = threading.Thread(target=asked.one, args=(asked.hang, connection))
        hanging.start()
        shop.run("deploy")
    hanging.join()
    assert any("GET /hang: 502" in each for each in asked.failures)
    assert all("download" in e or "slow" in e or "hang" in e for e in asked.failures)


def test_a_login_without_root_sees_connections_too(shop: Shop) -> None:
    """The drain reads /proc/PID/net, which the kernel shows to everybody."""
    release(shop, "one")
    host = shop.fleet["web1"]
    pid = shop.running("web1")["State"]["Pid"]
    read = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat")
    for name in ("tcp", "tcp6", "fib_trie"):
        assert host.run(*read, f"/proc/{pid}/net/{name}").stdout
    address = shop.running("web1")["NetworkSettings"]["Networks"]["lockship"]["IPAddress"]
    assert f"-- {address}\n" in host.run(*read, f"/proc/{pid}/net/fib_trie").stdout
