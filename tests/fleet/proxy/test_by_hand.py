"""What a person does between deploys: stop, start, restart, remove, maintenance."""

from __future__ import annotations

import hashlib
import http.client
import json
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fleet.proxy.conftest import config, release, service
from tests.fleet.proxy.load import load
from tests.fleet.proxy.test_shared import ONE, ask
from tests.fleet.shop import Shop
from tests.harness import Fleet
from tests.harness.cli import lockship_command
from tests.unit.cli.terminal import on_terminal


@pytest.fixture
def shop(proxied: Fleet, tmp_path: Path) -> Shop:
    return service(proxied, tmp_path / "shop", config(hosts=ONE))


def at_a_terminal(shop: Shop, *argv: str, typed: str) -> tuple[int, str]:
    env = {**shop.fleet.env(), "TERM": "dumb"}
    return on_terminal(lockship_command(argv), shop.folder, env, typed=typed)


def test_stop_start_restart_remove_and_what_comes_after(shop: Shop) -> None:
    release(shop, "one")
    web1 = shop.fleet["web1"]
    version = shop.lock()["service"]["version"]
    container = shop.running("web1")

    assert "-y" in shop.run("stop", expect=2).stderr
    status, shown = at_a_terminal(shop, "stop", typed="n\n")
    assert status == 130
    assert f"stop {container['Name'].lstrip('/')}" in shown
    assert ask(web1.address, "shop.test") == "one"

    with load(web1.address, "shop.test") as asked:
        shop.run("stop", "-y")
    assert all(" 503 " in each for each in asked.failures), "requests in flight end whole"
    assert asked.versions["one"] > 0
    assert ask(web1.address, "shop.test") == "503"
    assert "stopped" in shop.run("status", expect=3).stdout
    assert "nothing was to be done" in shop.run("stop", "-y").stderr

    shop.run("start", "-y")
    assert ask(web1.address, "shop.test") == "one"
    shop.run("status")

    shop.run("stop", "-y", "--role", "web", "--host", "web1")
    shop.run("deploy")
    assert ask(web1.address, "shop.test") == "one"

    shop.run("restart", "-y")
    again = shop.running("web1")
    assert again["Id"] == container["Id"]
    assert again["State"]["StartedAt"] > container["State"]["StartedAt"]
    assert ask(web1.address, "shop.test") == "one"

    shown = shop.run("remove", "--plan").stdout
    assert "remove the route of shop" in shown
    status, shown = at_a_terminal(shop, "remove", typed="y\n")
    assert status == 0, shown
    assert ask(web1.address, "shop.test") == "404"
    assert shop.containers("web1") == []
    assert web1.docker("images", "-q", "shop") == ""
    said = [(line["command"], line["outcome"]) for line in shop.journal("web1")]
    assert said == [
        ("deploy", "deployed"),
        ("stop", "done"),
        ("start", "done"),
        ("stop", "done"),
        ("deploy", "deployed"),
        ("restart", "done"),
        ("remove", "done"),
    ]
    assert {line["version"] for line in shop.journal("web1")} == {version}
    lines = (shop.run_folder("web1") / "journal.jsonl").read_bytes().splitlines()
    for earlier, later in pairwise(lines):
        assert json.loads(later)["previous"] == f"sha256:{hashlib.sha256(earlier).hexdigest()}"

    assert "nothing to roll shop back to" in shop.run("rollback", expect=1).stderr
    shop.run("rollback", version)
    assert ask(web1.address, "shop.test") == "one"
    shop.run("status")


def page(shop: Shop, path: str = "/", method: str = "GET") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(shop.fleet["web1"].address, timeout=10)
    connection.request(method, path, headers={"Host": "shop.test"})
    return connection.getresponse()


def test_the_maintenance_page_survives_a_deploy(shop: Shop) -> None:
    release(shop, "one")
    # Markup to a browser, and a template to Traefik: one that is broken costs all routes.
    message = "Back at 3 & <b>better</b> {{ env `PATH` }} {{"
    shop.run("maintenance", "on", "--message", message)
    answer = page(shop, "/any/where?x=1", "POST")
    body = answer.read().decode()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "120")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Back at 3 &amp; &lt;b&gt;better&lt;/b&gt; {{ env `PATH` }} {{" in body
    told = shop.run("status")
    assert f"web1: maintenance is on: {message}" in told.stderr
    (route,) = json.loads(shop.run("status", "--json").stdout)["routes"]
    assert (route["verdict"], route["maintenance"]) == ("as locked", message)

    release(shop, "two")
    assert page(shop).status == 503
    assert "nothing was to be done" in shop.run("deploy").stderr
    shop.run("maintenance", "off")
    assert ask(shop.fleet["web1"].address, "shop.test") == "two"
    said = [line["command"] for line in shop.journal("web1")]
    assert said == ["deploy", "maintenance on", "deploy", "maintenance off"]

    (shop.fleet["web1"].home / ".lockship/_proxy/dynamic/shop.yml").unlink()
    assert "missing" in shop.run("status", expect=3).stdout
    shop.run("maintenance", "on", expect=3)
