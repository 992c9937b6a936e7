"""`audit verify` against real hosts and a real registry: what was tampered with, and only that."""

import json
from pathlib import Path

from tests.fleet.shop import Json, Shop, config, image_table
from tests.harness import Fleet


def test_what_no_committed_lock_explains_is_found(clean_fleet: Fleet, tmp_path: Path) -> None:
    hosts = ("web1", "web2")
    table = image_table(clean_fleet)
    shop = Shop.create(clean_fleet, tmp_path / "shop", config(hosts=hosts, ports="", more=table))

    def verify(expect: int = 3) -> list[tuple[str, str | None, str | None]]:
        words = ("audit", "verify", "--hosts", "--registry", "--json")
        found: Json = json.loads(shop.run(*words, expect=expect).stdout)
        told = ((each["kind"], each["host"], each["field"]) for each in found["findings"])
        return sorted(told, key=str)

    def reported() -> Json:
        found: Json = json.loads(shop.run("audit", "report", "--hosts", "--json").stdout)
        return found

    shop.run("prepare")
    shop.run("deploy")
    assert verify(expect=0) == []  # no committed lock yet: none names a host to look at
    shop.commit("Lock of one")
    assert verify(expect=0) == []
    first = shop.lock()

    # A deploy whose lock isn't committed yet, and then is.
    shop.write("site/index.html", "two\n")
    shop.commit("Say two")
    shop.run("prepare")
    shop.run("deploy")
    names = {host: str(shop.running(host)["Name"]).strip("/") for host in hosts}
    unexplained = reported()["unexplained"]
    assert [[each["host"] for each in act["hosts"]] for act in unexplained] == [["web1", "web2"]]
    assert verify() == sorted(
        line
        for host in hosts
        for line in (
            ("uncommitted", host, "journal line 2"),
            ("by hand", host, f"container {names[host]}"),
        )
    )
    shop.commit("Lock of two")
    assert verify(expect=0) == []

    # The report counts what the journals tell: one act for a deploy to two hosts.
    report = reported()
    told = [(state["outcome"], [act["command"] for act in state["acts"]])
            for state in report["states"]]  # fmt: skip
    assert told == [("deployed", ["deploy"]), ("deployed", ["deploy"])]
    [acted] = report["states"][0]["acts"]
    assert [(each["host"], each["outcome"]) for each in acted["hosts"]] == [
        ("web1", "deployed"),
        ("web2", "deployed"),
    ]
    assert report["scope"]["basis"] == {"shop": "journals"}
    assert (report["figures"]["deployments"], report["figures"]["leads"]) == (2, 2)
    assert report["unexplained"] == []
    assert report["verification"] == {
        "command": f"lockship audit verify {shop.git('rev-parse', 'HEAD')} --hosts",
        "locks": 2, "holds": True, "hosts": ["web1", "web2"], "findings": [],
    }  # fmt: skip

    # A container that was replaced by hand, one line edited, and a tag that is another image now.
    engine = shop.engine("web1")
    labels = shop.running("web1")["Config"]["Labels"]
    old = first["artifact"]["image-id"]
    engine.docker("rm", "--force", names["web1"])
    flags = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
    engine.docker("run", "--detach", "--name", names["web1"], *flags, old)
    journal = shop.run_folder("web2") / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"command":"deploy"', '"command":"restart"', 1))
    last = shop.run_folder("web1") / "journal.jsonl"
    *lines, newest = last.read_text().splitlines()
    newest = newest.replace('"outcome":"deployed"', '"outcome":"undone"')
    last.write_text("".join(f"{line}\n" for line in (*lines, newest)))
    tagged = f"{first['image']['repository']}:{shop.lock()['image']['tag']}"
    home = shop.engine("local")
    home.docker("tag", f"{first['image']['repository']}:{first['image']['tag']}", tagged)
    login = str(clean_fleet.home.docker_config.parent)
    home.docker("--config", login, "push", "--quiet", tagged)
    # And an image's id that somebody wrote into the lock: no fingerprint is over it.
    text = (shop.folder / ".shiplock").read_text()
    other = text.replace(shop.lock()["artifact"]["image-id"], "sha256:" + "ab" * 32)
    shop.write(".shiplock", other)
    shop.commit("Another image's id")
    assert verify() == [
        ("gap", "web1", "journal line 2"),
        ("gap", "web2", "journal line 2"),
        ("image", "web1", f"container {names['web1']}"),
        ("image", None, "artifact.image-id"),
        ("tag", None, "image.tag"),
    ]
