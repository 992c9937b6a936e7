"""Deploys that commit their lockfile, and what `audit` reads back and finds on the hosts."""

import json
import subprocess
from pathlib import Path

from tests.fleet.shop import Json, Shop, config, impatient
from tests.harness import Fleet

HOSTS = ("web1", "web2")


def test_deploys_record_themselves(clean_fleet: Fleet, tmp_path: Path) -> None:
    gates = [clean_fleet[host].root / "srv/gate/up" for host in HOSTS]  # what makes healthy

    def health(there: bool) -> None:
        for gate in gates:
            gate.parent.mkdir(exist_ok=True)
            gate.write_text("yes") if there else gate.unlink()

    health(True)
    volume = 'volumes = ["/srv/gate:/www/gate:ro"]'
    plain = impatient(config(hosts=HOSTS, ports="")).replace("ports = []", volume)
    plain = plain.replace('"/up"', '"/gate/up"')
    shop = Shop.create(clean_fleet, tmp_path / "shop", plain)
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"{shop.git('config', 'user.email')} {key.with_suffix('.pub').read_text()}")
    shop.git("config", "gpg.format", "ssh")
    shop.git("config", "user.signingKey", str(key))
    shop.git("config", "gpg.ssh.allowedSignersFile", str(allowed))

    def audit() -> list[Json]:
        found: list[Json] = json.loads(shop.run("audit", "--signatures", "--json").stdout)[
            "entries"
        ]
        return found

    # Nobody commits it: that is said, and a look at the hosts finds it.
    shop.run("prepare")
    assert ".shiplock isn't committed" in shop.run("deploy").stderr
    status = shop.run("status")
    assert ".shiplock isn't committed" in status.stderr
    assert json.loads(shop.run("status", "--json").stdout)["committed"] is False

    # Once more, with --commit: nothing is to be done but that. What is staged stays so.
    shop.git("config", "commit.gpgSign", "true")
    shop.write("notes.txt", "mine\n")
    shop.git("add", "notes.txt")
    said = shop.run("deploy", "--commit", "--json")
    first = json.loads(said.stdout)
    assert (first["changed"], first["committed"]) == (False, True)
    assert first["commit"] == shop.git("rev-parse", "HEAD")
    assert shop.git("show", "--format=", "--name-only", "HEAD") == ".shiplock"
    assert shop.git("status", "--porcelain") == "A  notes.txt"
    shop.git("rm", "--quiet", "--force", "notes.txt")
    assert json.loads(shop.run("status", "--json").stdout)["committed"] is True
    shop.run("prepare", "--check")  # a commit that only adds the lock makes none stale
    version = shop.lock()["service"]["version"]

    # One that fails is recorded as such; the same lock's that ends well, after it.
    shop.write("lockship.toml", plain + "[deploy]\ncommit = true\n")
    shop.git("commit", "--quiet", "--no-gpg-sign", "--all", "--message", "Always commit")
    shop.run("prepare")
    health(False)
    assert "recorded as failed: commit " in shop.run("deploy", expect=1).stderr
    assert audit()[0]["record"]["outcome"] == "failed"
    health(True)
    before = shop.git("rev-parse", "HEAD")
    assert "recorded: commit " in shop.run("deploy").stderr
    assert shop.git("diff", "--name-only", before, "HEAD") == ""

    # A rollback that fails puts the lockfile back, and a message alone tells of it.
    health(False)
    locked = shop.lock()
    tried = shop.run("rollback", "-m", "Too slow", expect=1)
    assert "recorded as failed: commit " in tried.stderr
    assert shop.lock() == locked and shop.git("status", "--porcelain") == ""
    assert shop.git("diff", "--name-only", before, "HEAD") == ""
    newest = audit()[0]
    assert (newest["kind"], newest["version"]) == ("attempted", version)
    assert (newest["record"]["command"], newest["record"]["outcome"]) == ("rollback", "failed")
    health(True)

    # Back, with a reason; and with a key that can't sign, which doesn't hide what serves.
    back = shop.run("rollback", "-m", "Search\nwas empty")
    assert f"shop {version} serves now on 2 hosts" in back.stderr
    newest, attempted, again, failing, _ = found = audit()
    assert (attempted["kind"], again["kind"]) == ("attempted", "recorded")
    assert (newest["kind"], newest["version"]) == ("rollback", version)
    assert newest["record"]["reason"] == "Search was empty"
    assert [failing["attempts"][0]["outcome"], failing["record"]["outcome"]] == [
        "failed",
        "deployed",
    ]
    assert {each["signature"] for each in found} == {"good"}
    key.rename(tmp_path / "elsewhere")
    unsigned = shop.run("deploy", "--no-commit")
    assert "nothing was to be done" in unsigned.stderr
    shop.write("site/index.html", "three\n")
    shop.git("commit", "--quiet", "--no-gpg-sign", "--all", "--message", "Say three")
    shop.run("prepare")
    kept = shop.run("deploy", expect=5)
    third = shop.lock()["service"]["version"]
    assert f"shop {third} serves on 2 hosts, but that couldn't be recorded in git." in kept.stderr
    assert shop.get_inside("web1") == "three\n"
    (tmp_path / "elsewhere").rename(key)
    assert "recorded: commit " in shop.run("deploy").stderr

    # The same lock once more, which changes hosts: there is a record, and no lock is stale.
    shop.run("stop", "-y")
    tree = shop.git("rev-parse", "HEAD^{tree}")
    assert "recorded: commit " in shop.run("deploy").stderr
    assert shop.git("rev-parse", "HEAD^{tree}") == tree
    shop.run("prepare", "--check")
    record = audit()[0]
    assert (record["kind"], record["version"]) == ("recorded", third)
    assert record["record"]["outcome"] == "deployed" and record["signature"] == "good"
    assert record["commit"] == shop.git("rev-parse", "HEAD")
    assert "nothing to record" in shop.run("deploy").stderr

    # All that the hosts' journals tell of has its lock in history, the failed one's too.
    outcomes = [line["outcome"] for line in shop.journal("web2")]
    told = ["deployed", "failed", "deployed", "failed", "deployed", "deployed", "done", "deployed"]
    assert outcomes == told
    checked = json.loads(shop.run("audit", "verify", "--hosts", "--json").stdout)
    assert checked["findings"] == []
