"""A database and a cache beside a service: their whole life on real hosts."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.fleet.failing.background import started_in
from tests.fleet.shop import Json, Shop, config, environment
from tests.fleet.test_secrets import VALUES, assert_hidden
from tests.harness import Fleet, Registry, until

# It serves its volume, and writes into it how often it was started, as a database would its data.
SERVE = "echo begun | tee -a /data/log; exec httpd -f -p 5432 -h /data"
ACCESSORIES = """\
[accessories.db]
image = "{image}"
role = "web"
command = ["sh", "-c", "{serve}"]
ports = ["5432:5432"]
volumes = ["shop-db:/data"]
files = ["db/db.conf:/etc/db/conf.d/db.conf", "db/tool:/usr/bin/tool"]
env = {{ MODE = "{mode}" }}
secrets = ["TOKEN"]
healthcheck = {{ path = "/log", port = 5432, interval = 0.1 }}
stop-timeout = 0.1

[accessories.cache]
image = "cache:1"
hosts = ["web2"]
command = ["sleep", "1000"]
stop-timeout = 0.1

[secrets]
TOKEN = "env:SHOP_TOKEN"
REGISTRY = "env:SHOP_REGISTRY"

[registry]
server = "{server}"
username = "{user}"
password = "REGISTRY"
"""


def pushed(fleet: Fleet, registry: Registry) -> str:
    """An image in the registry, by the reference that a configuration pins it with."""
    tag, home = f"{registry.address}/acme/db:1", fleet.engine
    home.docker("tag", "busybox:1.36", tag)
    home.docker("--config", str(fleet.home.docker_config.parent), "push", "--quiet", tag)
    digest, _ = registry.manifest("acme/db", "1")
    return f"{tag}@{digest}"


def inspected(shop: Shop, host: str, container: str) -> Json:
    (found,) = json.loads(shop.engine(host).docker("inspect", container))
    assert isinstance(found, dict)
    return found


def asked(shop: Shop) -> str:
    """What the service's own container gets of the database, by its name."""
    (web,) = [each["Id"] for each in shop.containers("web1") if each["State"]["Running"]]
    url = "http://db.shop.internal:5432/log"
    return shop.engine("web1").docker("exec", web, "wget", "-qO-", url)


def verdicts(shop: Shop, *, expect: int) -> dict[str, str]:
    found = json.loads(shop.run("status", "--json", expect=expect).stdout)
    return {row["accessory"]: row["verdict"] for row in found["accessories"]}


def test_the_life_of_a_database_and_a_cache(clean_fleet: Fleet, tmp_path: Path) -> None:
    registry = clean_fleet.registry
    assert registry
    image = pushed(clean_fleet, registry)
    clean_fleet.engine.docker("tag", "busybox:1.36", "cache:1")  # on this machine alone

    def tables(mode: str) -> str:
        more = ACCESSORIES.format(
            image=image, serve=SERVE, mode=mode, user=registry.user, server=registry.address
        )
        return config(hosts=("web1",), ports="", more=more)

    shop = Shop.create(clean_fleet, tmp_path / "shop", tables("one"))
    shop.write("db/db.conf", "from git\n")
    shop.write("db/tool", "#!/bin/sh\necho tool\n")
    (shop.folder / "db/tool").chmod(0o755)
    shop.commit("Configure the database")
    (tmp_path / "nobody").mkdir()
    # Only the lock's own account is known to the registry.
    env = {
        "SHOP_TOKEN": VALUES["TOKEN"],
        "SHOP_REGISTRY": registry.password,
        "DOCKER_CONFIG": str(tmp_path / "nobody"),
    }
    shop.run("prepare", env=env)

    # A deploy starts none, and says so.
    deployed = shop.run("deploy", env=env)
    assert "accessory db isn't there: `lockship accessory boot db`" in deployed.stderr

    # Boot: with image, files from git, secret, private port, network. A second one does nothing.
    shop.write("db/db.conf", "not from git\n")
    plan = json.loads(shop.run("accessory", "boot", "--plan", "--json").stdout)
    kinds = [step["do"] for step in plan["hosts"][0]["switch"]]
    assert kinds == [
        "store-lock", "fetch-image", "create-accessory", "start-container", "probe-accessory",
    ]  # fmt: skip
    booted = shop.run("accessory", "boot", env=env)
    db = inspected(shop, "web1", "shop-db")
    (port,) = db["HostConfig"]["PortBindings"]["5432/tcp"]
    assert port["HostIp"] == "127.0.0.1"
    assert environment(db).items() >= {"MODE": "one", "TOKEN": VALUES["TOKEN"]}.items()
    assert registry.password not in json.dumps(db)
    assert_hidden(booted.stderr + json.dumps({**db, "Config": {**db["Config"], "Env": None}}))
    inside = "cat /etc/db/conf.d/db.conf; stat -c %a /etc/db /etc/db/conf.d/db.conf; tool; exit 7"
    said = shop.run("accessory", "exec", "db", "--", "sh", "-c", inside, expect=7).stdout
    assert said.splitlines() == ["from git", "755", "644", "tool"]
    assert asked(shop) == "begun\n"
    again = shop.run("accessory", "boot", "db", "--json", env=env)
    assert json.loads(again.stdout)["changed"] is False
    assert inspected(shop, "web2", "shop-cache")["State"]["Running"]
    shop.git("checkout", "--quiet", "db")

    # Stopped behind lockship's back: said by a deploy, and started again as it was.
    shop.engine("web1").docker("stop", "--time", "0", "shop-db")
    assert "accessory db is exited" in shop.run("deploy", env=env).stderr
    shop.run("accessory", "boot", "db", env=env)
    back = inspected(shop, "web1", "shop-db")
    assert back["Id"] == db["Id"]

    # Another configuration: a deploy leaves it alone and says what to type.
    shop.write("lockship.toml", tables("two"))
    shop.commit("Another mode")
    shop.run("prepare", env=env)
    said = shop.run("deploy", env=env).stderr
    assert "accessory db differs from the lock (another configuration)" in said
    assert "`lockship accessory reboot db`" in said
    left = inspected(shop, "web1", "shop-db")
    assert (left["Id"], left["State"]["StartedAt"]) == (db["Id"], back["State"]["StartedAt"])
    assert verdicts(shop, expect=3) == {"db": "another configuration", "cache": "as locked"}

    # Reboot: makes it anew, and keeps the volume's data.
    shop.run("accessory", "reboot", "db", "-y", env=env)
    new = inspected(shop, "web1", "shop-db")
    assert new["Id"] != db["Id"]
    assert environment(new)["MODE"] == "two"
    assert asked(shop) == "begun\n" * 3
    assert shop.run("accessory", "logs", "db").stdout == "web1 shop-db | begun\n"
    shop.run("accessory", "status")

    # An auditor finds nothing but what was started by hand, under an accessory's labels.
    shop.commit("Lock")
    by_hand = ["--label=dev.lockship.owner=shop", "--label=dev.lockship.accessory=queue"]
    words = ["run", "--detach", "--name=queue", *by_hand, image, "sleep", "1000"]
    shop.engine("web1").docker(*words)
    found = json.loads(shop.run("audit", "verify", "--hosts", "--json", expect=3).stdout)
    assert [(each["field"], each["what"]) for each in found["findings"]] == [
        ("container queue", "no committed lock has an accessory queue on this host")
    ]
    shop.run("accessory", "remove", "queue", "-y")

    # The service goes, its accessories stay.
    shop.run("remove", "-y")
    assert inspected(shop, "web1", "shop-db")["Id"] == new["Id"]

    # Removed, the volume only when that is asked for.
    volumes = "volume", "ls", "--quiet"
    shop.run("accessory", "remove", "db", "-y")
    assert "shop-db" in shop.engine("web1").docker(*volumes)
    shop.run("accessory", "remove", "all", "--volumes", "-y")
    assert "shop-db" not in shop.engine("web1").docker(*volumes)
    assert "shop-cache" not in shop.engine("web2").docker("ps", "--all")

    acts = [(line["command"], line.get("accessories")) for line in shop.journal("web1")]
    assert [act for act in acts if act[1]] == [
        ("accessory boot", ["db", "cache"]),
        ("accessory boot", ["db"]),
        ("accessory reboot", ["db"]),
        ("accessory remove", ["queue"]),
        ("accessory remove", ["db"]),
        ("accessory remove", ["db", "cache"]),
    ]
    for folder in (shop.run_folder("web1"), shop.folder):
        for path in folder.rglob("*"):
            if path.is_file():
                assert_hidden(path.read_text(errors="replace"))


def test_what_fails_is_said_and_left_for_a_look(clean_fleet: Fleet, tmp_path: Path) -> None:
    def tables(command: str, file: str) -> str:
        more = (
            f'[accessories.db]\nimage = "db:1"\nrole = "web"\nstop-timeout = 0.1\nrestart = "no"\n'
            f'command = "sh -c \'{command}\'"\nfiles = ["site/up:{file}"]\n'
        )
        return config(hosts=("web1",), ports="", more=more)

    clean_fleet.engine.docker("tag", "busybox:1.36", "db:1")
    shop = Shop.create(
        clean_fleet, tmp_path / "shop", tables("echo no such table; exit 3", "/etc/up")
    )
    shop.run("prepare")

    failed = shop.run("accessory", "boot", expect=5)
    assert "web1: shop-db isn't healthy" in failed.stderr
    assert "exit code 3" in failed.stderr
    assert "no such table" in failed.stderr
    assert shop.run("accessory", "logs").stdout == "web1 shop-db | no such table\n"
    assert shop.journal("web1")[-1]["outcome"] == "attention"

    # A file where none can be: the container that was begun is taken away again.
    shop.write("lockship.toml", tables("exec sleep 1000", "/etc/passwd/up"))
    shop.commit("A file below a file")
    shop.run("prepare")
    failed = shop.run("accessory", "reboot", "db", "-y", expect=5)
    assert "web1: write into shop-db" in failed.stderr
    assert "`files` of accessory db in lockship.toml" in failed.stderr
    assert verdicts(shop, expect=3) == {"db": "missing"}

    # What is mended is booted; a blob that isn't here is named before anything starts.
    shop.write("lockship.toml", tables("exec sleep 1000", "/etc/up"))
    shop.commit("Mend it")
    shop.run("prepare")
    blob = shop.git("rev-parse", "HEAD:site/up")
    loose = shop.folder / ".git/objects" / blob[:2] / blob[2:]
    loose.rename(tmp_path / "blob")
    missing = shop.run("accessory", "boot", expect=3)
    assert "Files of accessories that the lock names aren't in this repository" in missing.stderr
    assert f"db site/up: {blob}" in missing.stderr
    assert f"git fetch origin {shop.git('rev-parse', 'HEAD')}" in missing.stderr
    (tmp_path / "blob").rename(loose)
    shop.run("accessory", "boot")
    assert shop.run("accessory", "exec", "db", "cat", "/etc/up").stdout == "yes\n"


def test_a_boot_that_is_killed_is_finished_and_nothing_else_touches_it(
    clean_fleet: Fleet, tmp_path: Path
) -> None:
    """Killed once its container is made, and once it is asked whether it is healthy."""

    def tables(retain: int) -> str:
        more = (
            f"[deploy]\nretain = {retain}\n\n"
            '[accessories.db]\nimage = "db:1"\nrole = "web"\nstop-timeout = 0.1\n'
            'command = ["httpd", "-f", "-p", "80", "-h", "/etc"]\nvolumes = ["shop-db:/data"]\n'
            'healthcheck = { path = "/open", port = 80, interval = 0.1 }\n'
        )
        return config(hosts=("web1",), ports="", more=more)

    clean_fleet.engine.docker("tag", "busybox:1.36", "db:1")
    shop = Shop.create(clean_fleet, tmp_path / "shop", tables(3))
    engine = shop.engine("web1")
    first = shop.release("first\n")
    with started_in(shop.folder, shop.fleet.env(), "accessory", "boot") as boot:
        boot.saw("create shop-db", "done")
        boot.signal(signal.SIGKILL)
        boot.ends(-signal.SIGKILL)
    with started_in(shop.folder, shop.fleet.env(), "accessory", "boot") as boot:
        until(lambda: inspected(shop, "web1", "shop-db")["State"]["Running"], 30, "it to run")
        boot.signal(signal.SIGKILL)
        boot.ends(-signal.SIGKILL)
    begun = inspected(shop, "web1", "shop-db")
    assert [line["command"] for line in shop.journal("web1")] == ["deploy"]
    assert "probe shop-db" in shop.run("accessory", "boot", "--plan").stdout
    engine.docker("exec", "shop-db", "touch", "/etc/open")
    shop.run("accessory", "boot")
    db = inspected(shop, "web1", "shop-db")
    assert db["Id"] == begun["Id"]
    assert len(engine.docker("ps", "--all", "--quiet", "--filter=volume=shop-db").split()) == 1
    assert [line["command"] for line in shop.journal("web1")] == ["deploy", "accessory boot"]
    assert "nothing was to be done" in shop.run("accessory", "boot").stderr

    # Versions come, are pruned and come back: it goes on as it is.
    shop.release("two\n")
    shop.write("lockship.toml", tables(1))
    last = shop.release("three\n")
    shop.run("rollback")
    assert shop.get_inside("web1") == "two\n"
    shop.run("rollback", last)
    shop.run("prune", "-y", "--locks")
    assert not [each for each in shop.containers("web1") if first in each["Name"]]
    shop.run("status")
    left = inspected(shop, "web1", "shop-db")
    assert (left["Id"], left["State"]) == (db["Id"], db["State"])
    shop.run("accessory", "remove", "all", "--volumes", "-y")
