"""The main way, through the command line only: init, prepare, build, deploy, rollback."""

import hashlib
import json
import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fleet.shop import HOSTS, Json, Shop, config, environment, image_table, impatient
from tests.harness import Fleet, run_lockship, until
from tests.harness.cli import lockship_command

NO_PORT = config(hosts=("web1", "web2"), ports="")


@pytest.fixture
def shop(clean_fleet: Fleet, tmp_path: Path) -> Shop:
    """On all hosts, with a published port and without a registry."""
    return Shop.create(clean_fleet, tmp_path / "shop", config())


@pytest.fixture
def beside(clean_fleet: Fleet, tmp_path: Path) -> Shop:
    """On two hosts without a published port: the new version starts beside the old one."""
    return Shop.create(clean_fleet, tmp_path / "shop", NO_PORT)


def test_what_init_writes_can_be_deployed(clean_fleet: Fleet, tmp_path: Path) -> None:
    shop = Shop.create(clean_fleet, tmp_path / "shop")
    shop.run("init")
    shop.run("init", expect=3)
    version = shop.commit("Ship it")
    assert shop.run("prepare").stdout.strip() == version
    shop.run("prepare", "--check")
    shop.run("build")
    shop.run("deploy")
    assert shop.running("local")["Config"]["Labels"]["dev.lockship.version"] == version
    assert shop.get_inside("local") == "one\n"
    shop.run("status")


@pytest.mark.parametrize("registry", [True, False], ids=["registry", "ssh"])
def test_two_versions_and_the_way_back(clean_fleet: Fleet, tmp_path: Path, registry: bool) -> None:
    more = '[env]\nMOTTO = "a b=c"\n' + (image_table(clean_fleet) if registry else "")
    shop = Shop.create(clean_fleet, tmp_path / "shop", config(more=more))
    first = shop.git("rev-parse", "HEAD")[:12]
    assert shop.run("prepare").stdout.strip() == first
    built = shop.run("build").stdout.strip()
    artifact = shop.lock()["artifact"]
    assert built.endswith(artifact["digest"] if registry else artifact["image-id"])
    shop.run("deploy")
    for host in HOSTS:
        assert shop.get(host) == "one\n"
        check_deployed(shop, host, "deploy")
    shop.run("status")
    first_lock = (shop.folder / ".shiplock").read_bytes()

    before = {host: shop.containers(host) for host in HOSTS}
    assert "nothing was to be done" in shop.run("deploy").stderr
    assert {host: shop.containers(host) for host in HOSTS} == before
    assert [len(shop.journal(host)) for host in HOSTS] == [1] * 4

    shop.write("site/index.html", "two\n")
    second = shop.commit("Say two")
    shop.run("prepare")
    deployed = shop.run("deploy")
    if not registry:
        # The base's layer is megabytes, and there already; what is sent is the new one.
        sent = [int(count) for count in re.findall(r"sent (\d+) bytes", deployed.stderr)]
        assert len(sent) == 3
        assert max(sent) < 50_000
    for host in HOSTS:
        assert shop.get(host) == "two\n"
        check_deployed(shop, host, "deploy")
        states = {version_of(each): each["State"]["Running"] for each in shop.containers(host)}
        assert states == {first: False, second: True}

    shop.run("rollback")
    assert (shop.folder / ".shiplock").read_bytes() == first_lock
    for host in HOSTS:
        assert shop.get(host) == "one\n"
        check_deployed(shop, host, "rollback")
    shop.run("status")
    nothing = shop.run("rollback", expect=1)
    assert "nothing to roll shop back to" in nothing.stderr
    assert (shop.folder / ".shiplock").read_bytes() == first_lock
    assert [shop.get(host) for host in HOSTS] == ["one\n"] * 4


def check_deployed(shop: Shop, host: str, command: str) -> None:
    """The host's container, files and image all say what the lock says."""
    lock = shop.lock()
    version, image_id = lock["service"]["version"], lock["artifact"]["image-id"]
    container = shop.running(host)
    assert container["Image"] == image_id
    assert version_of(container) == version
    assert container["Config"]["Labels"]["dev.lockship.fingerprint"] == lock["fingerprint"]
    assert version in container["Name"]
    variables = environment(container)
    assert variables["LOCKSHIP_VERSION"] == version
    assert variables["LOCKSHIP_SERVICE"] == "shop"
    assert variables["MOTTO"] == "a b=c"

    (image,) = json.loads(shop.engine(host).docker("image", "inspect", image_id))
    assert image["Config"]["Labels"]["org.opencontainers.image.revision"].startswith(version)
    assert image["Config"]["Labels"]["org.opencontainers.image.version"] == version
    if "digest" in lock["artifact"]:
        assert f"{lock['image']['repository']}@{lock['artifact']['digest']}" in image["RepoDigests"]
        assert shop.fleet.registry
        digest, _ = shop.fleet.registry.manifest("acme/shop", version)
        assert digest == lock["artifact"]["digest"]

    line = shop.journal(host)[-1]
    said = {key: line[key] for key in ("version", "fingerprint", "image-id", "command", "outcome")}
    assert said == {
        "version": version,
        "fingerprint": lock["fingerprint"],
        "image-id": image_id,
        "command": command,
        "outcome": "deployed",
    }
    assert line["roles"] == ["web"]
    assert line["performer"].startswith("ada@")
    lines = (shop.run_folder(host) / "journal.jsonl").read_bytes().splitlines()
    for earlier, later in pairwise(lines):
        expected = "sha256:" + hashlib.sha256(earlier).hexdigest()
        assert json.loads(later)["previous"] == expected
    stored = shop.run_folder(host) / "locks" / f"{lock['fingerprint'].removeprefix('sha256:')}.toml"
    assert stored.read_bytes() == (shop.folder / ".shiplock").read_bytes()


def version_of(container: Json) -> str:
    return str(container["Config"]["Labels"]["dev.lockship.version"])


def test_named_version_is_rolled_back_to(beside: Shop) -> None:
    versions = [beside.release(f"{number}\n") for number in range(3)]
    beside.run("rollback", versions[0])
    assert beside.get_inside("web1") == beside.get_inside("web2") == "0\n"
    assert beside.lock()["service"]["version"] == versions[0]
    beside.run("rollback", "no-such-version", expect=1)
    beside.run("rollback", expect=1)


def test_version_whose_image_is_gone_is_built_again_for_a_rollback(beside: Shop) -> None:
    beside.write("lockship.toml", NO_PORT + "[deploy]\nretain = 1\n")
    versions = [beside.release(f"{number}\n") for number in range(3)]
    engine = beside.fleet.engine
    engine.docker("rmi", f"shop:{versions[0]}")
    engine.docker("builder", "prune", "--all", "--force")
    beside.run("rollback", versions[0])
    assert beside.get_inside("web1") == beside.get_inside("web2") == "0\n"
    assert beside.running("web1")["Image"] == beside.lock()["artifact"]["image-id"]
    beside.run("status")


def test_role_without_port_beside_one_with(clean_fleet: Fleet, tmp_path: Path) -> None:
    worker = '[roles.worker]\nhosts = ["web2"]\ncommand = "sleep 1000"\nhealthcheck = false\n'
    shop = Shop.create(clean_fleet, tmp_path / "shop", config(hosts=("web1", "web2"), more=worker))
    shop.release("x\n")
    assert [len(shop.containers(host)) for host in ("web1", "web2")] == [1, 2]
    assert shop.running("web2", "worker")["Config"]["Cmd"] == ["sleep", "1000"]
    assert shop.journal("web2")[-1]["roles"] == ["web", "worker"]
    shop.release("y\n")
    assert shop.get("web1") == shop.get("web2") == "y\n"
    assert shop.running("web2", "worker")["Config"]["Labels"]["dev.lockship.role"] == "worker"
    shop.run("status")


def test_unhealthy_version_beside_the_old_one_is_taken_away(beside: Shop) -> None:
    beside.release("good\n")
    before = [[each["Id"] for each in beside.containers(host)] for host in ("web1", "web2")]
    (beside.folder / "site/up").unlink()
    beside.write("lockship.toml", impatient(NO_PORT))
    beside.commit("Break it")
    beside.run("prepare")
    failed = beside.run("deploy", expect=1)
    assert "404" in failed.stderr
    assert "/up" in failed.stderr
    for host, ids in zip(("web1", "web2"), before, strict=True):
        assert beside.get_inside(host) == "good\n"
        assert [each["Id"] for each in beside.containers(host)] == ids
    beside.run("status", expect=3)
    beside.write("site/up", "yes\n")
    beside.write("lockship.toml", NO_PORT)
    beside.release("mended\n")
    assert beside.get_inside("web1") == "mended\n"


def test_unhealthy_version_in_the_way_gives_way_to_the_old_one(shop: Shop) -> None:
    good = shop.release("good\n")
    before = {host: shop.running(host)["Id"] for host in HOSTS}
    (shop.folder / "site/up").unlink()
    shop.write("lockship.toml", impatient(config()))
    shop.commit("Break it")
    shop.run("prepare")
    failed = shop.run("deploy", expect=4)
    assert "404" in failed.stderr
    for host in HOSTS:
        assert shop.get(host) == "good\n"
        assert [each["Id"] for each in shop.containers(host)] == [before[host]]
        assert version_of(shop.running(host)) == good
        assert shop.journal(host)[-1]["outcome"] == "undone"


def test_one_unhealthy_host_keeps_all_from_switching(beside: Shop) -> None:
    """Law 6. The service asks for a folder that only one of the hosts has."""
    beside.release("good\n")
    (beside.fleet["web2"].root / "srv/data").mkdir()
    (beside.fleet["web2"].root / "srv/data/up").write_text("yes\n")
    served = 'volumes = ["/srv/data:/www:ro"]'
    beside.write("lockship.toml", impatient(NO_PORT.replace("ports = []", served)))
    beside.commit("Serve what the host has")
    beside.run("prepare")
    failed = beside.run("deploy", expect=1)
    assert "web1" in failed.stderr
    assert beside.get_inside("web1") == beside.get_inside("web2") == "good\n"
    assert [len(beside.containers(host)) for host in ("web1", "web2")] == [1, 1]


def test_plan_says_what_deploy_does_and_changes_nothing(shop: Shop) -> None:
    shop.run("prepare")
    shop.run("build")

    def world() -> object:
        files = [sorted(map(str, shop.run_folder(host).rglob("*"))) for host in HOSTS]
        return files, [shop.containers(host) for host in HOSTS], shop.git("status", "--porcelain")

    before, lock = world(), (shop.folder / ".shiplock").read_bytes()
    shown = shop.run("deploy", "--plan").stdout
    plan = json.loads(shop.run("deploy", "--plan", "--json").stdout)
    assert (world(), (shop.folder / ".shiplock").read_bytes()) == (before, lock)
    assert [host["host"] for host in plan["hosts"]] == list(HOSTS)
    kinds = [step["do"] for step in plan["hosts"][1]["stage"]]
    assert kinds == [
        "store-lock",
        "ship-image",
        "create-container",
        "start-container",
        "probe-container",
    ]
    assert all(host in shown for host in HOSTS)
    assert f"create {plan['hosts'][1]['stage'][2]['name']}" in shown
    done = json.loads(shop.run("deploy", "--json").stdout)
    assert done["plan"] | {"hooks": []} == plan
    again = json.loads(shop.run("deploy", "--plan", "--json").stdout)
    assert all(not (h["stage"] or h["switch"] or h["finish"]) for h in again["hosts"])


def test_logs_and_exec(beside: Shop) -> None:
    command = 'command = ["sh", "-c", "echo came up; exec httpd -f -p 80 -h /www"]'
    beside.write("lockship.toml", NO_PORT.replace("ports = []", command))
    beside.release("x\n")
    logs = beside.run("logs").stdout.splitlines()
    assert sorted(line.split()[0] for line in logs) == ["web1", "web2"]
    assert all(line.endswith("came up") for line in logs)
    assert len(beside.run("logs", "--host", "web2", "--role", "web").stdout.splitlines()) == 1
    beside.run("logs", "--role", "nobody", expect=2)

    said = beside.run("exec", "--host", "web2", "--", "sh", "-c", "echo $HOSTNAME; echo no >&2")
    assert said.stdout.strip() == beside.running("web2")["Id"][:12]
    assert "no" in said.stderr
    beside.run("exec", "--", "sh", "-c", "exit 37", expect=37)
    fed = run_lockship(
        ["exec", "--", "tr", "a-z", "A-Z"], beside.folder, beside.fleet.env(), stdin="loud\n"
    )
    assert fed.expect(0).stdout == "LOUD\n"


def test_second_deploy_says_who_is_at_it_or_waits(beside: Shop) -> None:
    gates = [beside.fleet[host].root / "srv/slow" for host in ("web1", "web2")]
    for gate in gates:
        gate.mkdir(parents=True, exist_ok=True)
        (gate / "open").unlink(missing_ok=True)
    slow = (
        'volumes = ["/srv/slow:/slow:ro"]\n'
        'command = ["sh", "-c", "until [ -e /slow/open ]; do sleep 0.1; done;'
        ' exec httpd -f -p 80 -h /www"]'
    )
    healthy_later = NO_PORT.replace("ports = []", slow).replace("limit = 2", "limit = 100")
    beside.write("lockship.toml", healthy_later)
    version = beside.commit("Start slowly")
    beside.run("prepare")
    beside.run("build")

    def begin(*argv: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            lockship_command(argv),
            cwd=beside.folder,
            env=beside.fleet.env(),
            stderr=subprocess.PIPE,
            text=True,
        )

    with begin("deploy") as first:
        until(lambda: len(beside.containers("web1")), 60, "the first deploy to begin")
        held = beside.run("deploy", expect=1)
        assert "ada@" in held.stderr
        assert version in held.stderr
        assert re.search(r"since \d{4}-\d\d-\d\d", held.stderr)
        with begin("deploy", "--wait") as second:
            assert second.stderr is not None
            assert any("waiting" in line for line in second.stderr)
            for gate in gates:
                (gate / "open").touch()
            _, errors = first.communicate(timeout=120)
            _, more = second.communicate(timeout=120)
    assert first.returncode == 0, errors
    assert second.returncode == 0, more
    assert [len(beside.journal(host)) for host in ("web1", "web2")] == [1, 1]


def test_destination_lives_beside_the_default_one(shop: Shop) -> None:
    shop.write("lockship.staging.toml", '[roles.web]\nhosts = ["web1"]\nports = ["8081:80"]\n')
    version = shop.release("both\n")
    shop.run("prepare", "-d", "staging")
    assert shop.lock(".shiplock.staging")["service"]["destination"] == "staging"
    shop.run("deploy", "-d", "staging")
    assert shop.get("web1", 8080) == shop.get("web1", 8081) == "both\n"
    assert version_of(shop.running("web1", project="shop.staging")) == version
    assert shop.journal("web1", "shop.staging")[-1]["destination"] == "staging"
    assert shop.containers("web2", "shop.staging") == []
    shop.run("status")
    shop.run("status", "-d", "staging")
    shop.run("rollback", "-d", "staging", expect=1)
