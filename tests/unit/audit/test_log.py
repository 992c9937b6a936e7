"""`audit log` over histories of every odd shape, against what was done to make them."""

from __future__ import annotations

import csv
import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from lockship.lock.fingerprint import build_key
from lockship.lock.image import Artifact
from lockship.lock.writer import dump
from tests.unit.audit.story import Story, begin, make_lock_with


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return begin(tmp_path / "shop")


def told(found: Any) -> list[tuple[str, str, str | None]]:
    """Each entry as subject, kind and version."""
    return [(each["subject"], each["kind"], each["version"]) for each in found["entries"]]


def test_a_service_through_its_life(story: Story) -> None:
    first = story.locked("lock 1")
    artifact = Artifact(key=build_key(first), image_id="sha256:" + "ab" * 32)
    story.put(replace(first, artifact=artifact), "built 1")
    story.work("two")
    second = story.lock()
    story.put(second, "lock 2", GIT_COMMITTER_NAME="Bo Merger", GIT_COMMITTER_EMAIL="bo@x.org")
    story.git("revert", "--no-edit", "--no-commit", "HEAD")
    story.commit("revert to 1")
    (story.repo.path / ".shiplock").write_bytes(dump(first) + b"# a note\n")
    story.commit("no artifact")
    story.git("mv", ".shiplock", ".shiplock.eu")
    story.commit("moved")
    story.git("rm", "--quiet", ".shiplock.eu")
    story.commit("gone")
    one, two = first.service.version, second.service.version

    found = story.audit()
    assert told(found) == [
        ("gone", "removed", None),
        ("moved", "moved", one),
        ("no artifact", "built", one),
        ("revert to 1", "rollback", one),
        ("lock 2", "locked", two),
        ("built 1", "built", one),
        ("lock 1", "locked", one),
    ]
    gone, moved, _, back, later, built, _ = found["entries"]
    assert gone["service"] == "shop"
    assert moved["moved-from"] == ".shiplock"
    assert moved["problems"] == [".shiplock.eu holds the lock of the default destination"]
    assert back["returns-to"] == story.said["built 1"]
    assert (later["author"]["name"], later["committer"]["name"]) == ("Ada Shipper", "Bo Merger")
    assert later["source-commit"] == story.said["two"]
    assert built["image"] == "sha256:" + "ab" * 32

    shown = story.run("--author", "bo@x").stdout.splitlines()
    assert len(shown) == 2
    assert "Ada Shipper (by Bo Merger)" in shown[1]
    assert story.said["two"][:12] in shown[1]


def test_branches_cherry_picks_merges_and_rewriting(story: Story) -> None:
    base = story.locked("base")
    story.git("switch", "--quiet", "--create", "side")
    story.work("side work")
    side = story.locked("on the side")
    story.git("switch", "--quiet", "main")
    story.work("main work")
    main = story.locked("on main")
    story.minute += 1
    story.git("merge", "--quiet", "--strategy=ours", "--message", "merged", "side")
    assert [each[0] for each in told(story.audit())] == ["on main", "on the side", "base"]

    # The same lock again on another branch is no rollback there: it was never before it.
    story.git("switch", "--quiet", "--create", "hotfix", story.said["base"])
    story.put(main, "picked")
    both = story.audit("--all")["entries"]
    assert [(e["subject"], e["kind"], e["same-as"]) for e in both] == [
        ("picked", "locked", story.said["on main"]),
        ("on main", "locked", None),
        ("on the side", "locked", None),
        ("base", "locked", None),
    ]
    assert [each[0] for each in told(story.audit("--ref", "hotfix"))] == ["picked", "base"]

    # A merge with a lock of its own, which an ancestor on the merged side had: a rollback.
    story.git("switch", "--quiet", "main")
    story.put(side, "side again")
    [newest, *_] = story.audit()["entries"]
    assert (newest["kind"], newest["returns-to"]) == ("rollback", story.said["on the side"])

    # A branch that was rewritten: what isn't in its history any more is gone, memory or not.
    story.git("reset", "--quiet", "--hard", story.said["base"])
    assert [each[0] for each in told(story.audit())] == ["base"]
    assert story.audit()["entries"][0]["version"] == base.service.version


def test_what_is_asked_for(story: Story) -> None:
    story.locked("one")
    story.work("work")
    hosts = {"web": replace(story.lock().roles["web"], hosts=("web2",))}
    eu = make_lock_with(story.lock(service={"destination": "eu"}), "roles", hosts)
    eu = make_lock_with(eu, "hosts", {"web2": story.lock().hosts["local"]})
    story.put(eu, "two", ".shiplock.eu")
    story.repo.write("docs/.shiplock", "lock-version = 99")
    story.commit("three")

    def subjects(*words: str) -> list[str]:
        return [each[0] for each in told(story.audit(*words))]

    assert subjects() == ["three", "two", "one"]
    assert subjects("-n", "1") == ["three"]
    assert subjects("-d", "eu", "--host", "web2") == ["three", "two"]  # unreadable: of any
    assert subjects("--service", "other") == ["three"]
    assert subjects("--version", eu.service.version[:6]) == ["three", "two"]
    assert subjects("--since", "2026-03-03 01:09:40Z") == ["three", "two"]
    assert subjects("--until", "2026-03-03T01:09:40Z") == ["two", "one"]
    assert subjects("--until", "2026-03-02") == []
    assert subjects("--at", "2026-03-03 01:09:45Z") == ["two", "one"]
    assert subjects("--at", "2026-03-03") == ["three", "two", "one"]
    assert subjects("--at", "2026-03-02") == []
    assert story.audit()["entries"][0]["problems"] == [
        "unreadable: has lock-version 99; this lockship knows up to 1"
    ]
    for words in (["--since", "soon"], ["--json", "--csv"], ["--all", "--ref", "x"]):
        assert story.run("log", *words).returncode == 2
    assert story.run("log", "--ref", "--output=/tmp/x").returncode == 2


def test_folders_that_hold_no_lock_any_more(story: Story) -> None:
    story.locked("one", "old/.shiplock")
    story.git("rm", "--quiet", "old/.shiplock")
    story.commit("gone")
    assert told(story.audit()) == []
    assert [each[0] for each in told(story.audit("--everywhere"))] == ["gone", "one"]


def test_the_memory_changes_no_answer(story: Story, tmp_path: Path) -> None:
    def both() -> list[tuple[str, str, str | None]]:
        remembered = story.audit()
        fresh = tmp_path / f"cache{story.minute}"
        done = story.run("--json", XDG_CACHE_HOME=str(fresh))
        assert done.stdout.strip() == story.run("--json").stdout.strip()
        return told(remembered)

    story.locked("one")
    assert len(both()) == 1
    story.work("work")
    story.locked("two")
    assert len(both()) == 2
    # An older branch is merged: its lock is older than what is remembered, and takes its place.
    story.git("switch", "--quiet", "--create", "old", story.said["one"])
    story.minute -= 2
    story.locked("old", ".shiplock.old", service={"destination": "old"})
    story.minute += 5
    story.git("switch", "--quiet", "main")
    story.git("merge", "--quiet", "--no-edit", "old")
    assert [each[0] for each in both()] == ["two", "old", "one"]
    # Lockfiles in a new folder: what is remembered of other folders doesn't do.
    story.locked("four", "sub/.shiplock")
    assert len(both()) == 4


def test_a_damaged_memory_is_written_anew(story: Story, tmp_path: Path) -> None:
    story.locked("one")
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    expected = story.run("--json", **cache).stdout
    [file] = (tmp_path / "cache/lockship/audit").iterdir()
    sound = file.read_bytes()
    flipped = [sound.replace(b"shop", b"sh\xffp"), sound.replace(b"+0000", b"+000x")]
    assert sound not in flipped
    for damaged in (b"", b"\xc1", sound[:-1], *flipped, b"\x93" * 50):
        file.write_bytes(damaged)
        assert story.run("--json", **cache).stdout == expected
        assert file.read_bytes() == sound
    file.unlink()
    file.mkdir()
    assert story.run("--json", **cache).stdout == expected


def test_signatures(story: Story, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    story.git("config", "gpg.format", "ssh")
    story.git("config", "user.signingKey", str(key))
    story.repo.write(".shiplock", dump(story.lock()))
    story.commit("signed", "--gpg-sign")
    story.work("two")
    story.locked("unsigned")

    def said(*words: str) -> list[str]:
        return [each["signature"] for each in story.audit(*words)["entries"]]

    assert said() == ["none", "unchecked"]
    assert said("--signatures") == ["none", "can't be checked"]
    allowed = tmp_path / "allowed"
    allowed.write_text(f"ada@example.com {key.with_suffix('.pub').read_text()}")
    story.git("config", "gpg.ssh.allowedSignersFile", str(allowed))
    assert said("--signatures") == ["none", "good"]


def test_hostile_text_stays_text(story: Story) -> None:
    evil = "=cmd|' /C calc'!A0 \x1b[2J\u202e"
    story.repo.write("app.txt", "evil")
    story.commit(evil, GIT_COMMITTER_NAME="+1;\x1b]0;x\x07")
    story.locked(evil, hosts=story.lock().hosts)
    story.repo.write(b"a\n\xff/.shiplock", "no lock")
    story.commit("@odd path")
    table, data = story.run(), story.run("--csv")
    for said in (table.stdout, data.stdout, story.run("--json").stdout):
        assert not {"\x1b", "\u202e", "\x07"} & set(said)
    rows = list(csv.DictReader(io.StringIO(data.stdout)))
    assert [row["subject"][:2] for row in rows] == ["'@", "'="]
    assert rows[0]["path"] == '"a\\n\\377/.shiplock"'
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
