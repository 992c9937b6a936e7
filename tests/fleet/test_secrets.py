"""Secrets on the real fleet: they reach their roles, and are nowhere else."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from tests.fleet.shop import Shop, config, environment
from tests.harness import Fleet

VALUES = {"TOKEN": "t0ken-4711-abcdef", "KEY": "first line of the key\nsecond line of the key"}
SECRETS = """\
[roles.worker]
hosts = ["web1"]
command = ["sleep", "1000"]
secrets = ["TOKEN"]
healthcheck = false

[secrets]
TOKEN = "env:SHOP_TOKEN"
KEY = "cmd:cat ../key.txt"
"""


def forms(value: str) -> list[str]:
    """What of a value must not be found: it, its lines, its base64."""
    encoded = base64.b64encode(value.encode()).decode()
    return [value, *value.splitlines(), encoded.rstrip("=")[:-1], value.encode().hex()]


def assert_hidden(text: str) -> None:
    for value in VALUES.values():
        for form in forms(value):
            assert form not in text


def test_a_missing_secret_is_named_before_anything_starts(
    clean_fleet: Fleet, tmp_path: Path
) -> None:
    text = config(hosts=("web1",), ports="", more=SECRETS)
    shop = Shop.create(clean_fleet, tmp_path / "shop", text)
    shop.run("prepare")
    failed = shop.run("deploy", expect=1)
    assert "2 secrets can't be had; nothing was changed." in failed.stderr
    assert "TOKEN from env:SHOP_TOKEN: the variable isn't set" in failed.stderr
    assert "KEY from cmd:cat ../key.txt: cat ended with status 1" in failed.stderr
    assert "artifact" not in shop.lock(), "nothing was built"
    assert not shop.run_folder("web1").exists()
    checked = shop.run("secrets", "check", expect=1, env={"SHOP_TOKEN": VALUES["TOKEN"]})
    assert "found" in checked.stdout
    assert_hidden(checked.stdout + checked.stderr)


def test_secrets_reach_their_roles_and_nothing_else(clean_fleet: Fleet, tmp_path: Path) -> None:
    text = config(hosts=("web1",), ports="", more=SECRETS).replace("limit = 60", "limit = 5")
    shop = Shop.create(clean_fleet, tmp_path / "shop", text)
    (tmp_path / "key.txt").write_text(VALUES["KEY"] + "\n")
    env = {"SHOP_TOKEN": VALUES["TOKEN"]}
    printed = [shop.run("prepare", env=env)]
    printed.append(shop.run("deploy", env=env))
    web, worker = shop.running("web1"), shop.running("web1", "worker")
    assert VALUES.items() <= environment(web).items()
    assert environment(worker)["TOKEN"] == VALUES["TOKEN"]
    assert "KEY" not in environment(worker), "the role names its own secrets"
    for each in (web, worker):
        assert_hidden(json.dumps({**each, "Config": {**each["Config"], "Env": None}}))

    # A version that tells its secrets when it dies: its last lines are shown, and they aren't.
    shop.write("Dockerfile", 'FROM busybox:1.36\nCMD ["sh", "-c", "env; env | base64; exit 1"]\n')
    shop.commit("Tell everything")
    printed.append(shop.run("prepare", env=env))
    printed.append(shop.run("deploy", expect=1, env=env))
    assert "TOKEN=[hidden]" in printed[-1].stderr
    printed.append(shop.run("deploy", "--plan", "--json", env=env))
    printed.append(shop.run("status", "--json", expect=3, env=env))

    assert_hidden("".join(each.stdout + each.stderr for each in printed))
    for folder in (shop.run_folder("web1").parent, shop.folder):
        for path in folder.rglob("*"):
            if path.is_file():
                assert_hidden(path.read_text(errors="replace"))


def test_new_values_reach_new_containers(clean_fleet: Fleet, tmp_path: Path) -> None:
    text = config(hosts=("web1",), ports="", more=SECRETS)
    shop = Shop.create(clean_fleet, tmp_path / "shop", text)
    (tmp_path / "key.txt").write_text(VALUES["KEY"])
    shop.run("prepare")
    shop.run("deploy", env={"SHOP_TOKEN": "the old value"})
    new = {"SHOP_TOKEN": VALUES["TOKEN"]}
    assert "nothing was to be done" in shop.run("deploy", env=new).stderr
    before = {each["Id"] for each in shop.containers("web1")}
    printed = shop.run("deploy", "--refresh-secrets", env=new)
    for role in ("web", "worker"):
        assert environment(shop.running("web1", role))["TOKEN"] == VALUES["TOKEN"]
    assert before.isdisjoint(each["Id"] for each in shop.containers("web1"))
    shop.run("status")
    assert "nothing was to be done" in shop.run("deploy", env=new).stderr
    lines = shop.journal("web1")
    assert [line["command"] for line in lines] == ["deploy", "refresh-secrets"]
    assert lines[0]["fingerprint"] == lines[1]["fingerprint"]
    assert_hidden(printed.stderr + json.dumps(lines))
