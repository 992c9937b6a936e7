"""SIGKILL after each step of a deploy behind the proxy, under load: then the same command again."""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path

from tests.fleet.proxy.conftest import HOSTS, config, release, service
from tests.fleet.proxy.load import load
from tests.fleet.proxy.test_rollout import check_route, running
from tests.fleet.shop import Shop
from tests.harness import Fleet, until
from tests.harness.cli import lockship_command

STEPS = (
    "connect",
    "store lock",
    "send image",
    "create",
    "start",
    "probe",
    "see that",
    "route",
    "record",
    "drain",
    "stop",
    "remove shop",
    "remove image",
)
"""The steps of one host, in their order; the other host is where it is."""


def test_a_kill_after_each_step_loses_no_request_and_the_next_deploy_ends_it(
    proxied: Fleet, tmp_path: Path
) -> None:
    text = config(more="[deploy]\nretain = 1\n").replace("drain = 10", "drain = 4")
    shop = service(proxied, tmp_path / "shop", text)
    for version in ("one", "two"):
        release(shop, version)
    cut_short = shop.fleet["web1"].home / ".lockship/_proxy/dynamic/shop.yml.0badf00d.new"
    cut_short.write_text("{")
    with ExitStack() as stack:
        addresses = [shop.fleet[host].address for host in HOSTS]
        asked = [stack.enter_context(load(each, "shop.test", pause=0.05)) for each in addresses]
        for step in STEPS:
            shop.write("version", f"killed after {step}\n")
            version = shop.commit(f"Be killed after {step}")
            shop.run("prepare")
            killed_after(shop, f"web1  {step}")
            for host in HOSTS:
                led_somewhere(shop, host)
            shop.run("deploy")
            for host in HOSTS:
                nothing_left(shop, host, version)
    for each in asked:
        assert each.failures == []
        assert f"killed after {STEPS[-1]}" in each.versions


def killed_after(shop: Shop, step: str) -> None:
    argv = lockship_command(["deploy"])
    with subprocess.Popen(
        argv, cwd=shop.folder, env=shop.fleet.env(), stderr=subprocess.PIPE, text=True
    ) as process:
        said = []
        for line in process.stderr or ():
            said.append(line)
            if step in line and "done" in line:
                process.kill()
                return
    raise AssertionError(f"no line of {step!r}:\n{''.join(said)}")


def led_somewhere(shop: Shop, host: str) -> None:
    """The route file leads to a container that runs, the old one or the new one."""
    route = (shop.fleet[host].home / ".lockship/_proxy/dynamic/shop.yml").read_text()
    upstreams = [
        each["Config"]["Labels"]["dev.lockship.upstream"]
        for each in shop.containers(host)
        if each["State"]["Running"]
    ]
    assert any(each in route for each in upstreams)


def nothing_left(shop: Shop, host: str, version: str) -> None:
    """The locked version serves, alone; what else is there is for a rollback."""
    (serves,) = running(shop, host)
    assert version in serves
    check_route(shop, host)
    folder = shop.run_folder(host)
    releases = json.loads((folder / "releases.json").read_text())
    fingerprints = {each["fingerprint"] for each in releases}
    assert len(releases) == 2
    found = [each["Config"]["Labels"]["dev.lockship.fingerprint"] for each in shop.containers(host)]
    assert len(found) == len(set(found)) == len(fingerprints & set(found))
    lockships = shop.fleet[host].home / ".lockship"
    assert not list(lockships.rglob("*.new"))
    routes = [each.name for each in (lockships / "_proxy/dynamic").iterdir()]
    assert sorted(routes) == ["README", "shop.yml"]
    everything = shop.fleet[host].docker("ps", "--all", "--format", "{{.Names}}").split()
    ours = [each["Name"].lstrip("/") for each in shop.containers(host)]
    assert sorted(everything) == sorted([*ours, "lockship-proxy"])
    last = shop.journal(host)[-1]
    assert (last["version"], last["outcome"]) == (version, "deployed")
    mutex = f"/root/.lockship/{shop.lock()['service']['name']}/mutex"
    command = ("flock", "-n", mutex, "true")
    until(lambda: shop.fleet[host].run(*command, check=False).returncode == 0, 5, "the mutex")
