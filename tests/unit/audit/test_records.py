"""Records of deploys that change no file: written beside any history, and read back as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockship.audit.entry import RECORDS
from lockship.cli import recording
from lockship.cli.lockfile import Found
from lockship.lock.model import Lock
from lockship.lock.reader import parse
from lockship.lock.writer import dump
from tests.unit.audit.story import Story, begin
from tests.unit.audit.test_record import WHO, begun, error, there, told


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    return begin(tmp_path / "shop")


def deployed(story: Story, found: Found) -> str:
    made = recording.ended(begun(story, found, "deploy"), found, changed=True)
    assert made.commit
    return made.commit


def tried(story: Story, lock: Lock, outcome: str = "undone") -> str:
    """A rollback to a lock that failed: the lockfile was put back."""
    found = Found(story.repo.path, story.repo.path / ".shiplock", lock)
    record = begun(story, found, "rollback", reason="The search was empty")
    recording.failed(record, found, error(outcome), kept=False)
    return story.repo.head


def test_each_deploy_of_a_committed_lock_is_recorded(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert story.lockship("prepare").returncode == 0
    before = (story.repo.path / ".shiplock").read_bytes()
    story.commit("Lock it")
    found = there(story, parse(before, ".shiplock"))
    tree, head = story.git("rev-parse", "HEAD^{tree}"), story.repo.head
    story.repo.write("mine.txt", "not yet\n")
    story.git("add", "mine.txt")
    first = deployed(story, found)
    monkeypatch.setenv("LOGNAME", "jo")  # as if some seconds later
    second = deployed(story, found)
    assert story.git("rev-list", "--reverse", f"{head}..").split() == [first, second]
    assert story.git("rev-parse", "HEAD^{tree}") == tree
    assert story.git("diff", "--cached", "--name-only") == "mine.txt"
    nothing = recording.ended(begun(story, found, "deploy"), found, changed=False)
    assert (nothing.commit, nothing.committed, story.repo.head) == (None, True, second)

    # Another parent is HEAD's now, and the source still the commit of before.
    story.git("rm", "--quiet", "--force", "mine.txt")
    assert story.lockship("prepare", "--check").returncode == 0
    assert story.lockship("prepare").returncode == 0
    assert (story.repo.path / ".shiplock").read_bytes() == before

    entries = story.audit()["entries"]
    assert [(each["kind"], each["commit"]) for each in entries] == [
        ("recorded", second), ("recorded", first), ("locked", head),
    ]  # fmt: skip
    assert {each["version"] for each in entries} == {found.lock.service.version}
    assert entries[0]["record"]["performer"] and entries[0]["record"]["command"] == "deploy"
    assert (entries[0]["path"], entries[0]["hosts"]) == (".shiplock", ["local"])
    table = story.run().stdout
    assert "recorded: deployed" in table and "deployed 2 times" in table
    assert [each["commit"] for each in story.audit("-n", "1")["entries"]] == [second]
    version = found.lock.service.version
    shown = story.audit("show", version)["entries"]
    assert [each["entry"]["commit"] for each in shown] == [head]
    assert [each["entry"]["commit"] for each in story.audit("show", "HEAD")["entries"]] == [second]
    assert "recorded     deployed at 20" in story.run("show", "HEAD").stdout
    assert story.audit("verify") == {"holds": True, "locks": 1, "findings": []}


def test_a_rollback_that_was_taken_back_is_found(story: Story) -> None:
    first = there(story, story.lock())
    deployed(story, first)
    story.work("two")
    second = there(story, story.lock())
    deployed(story, second)
    lockfile, status = (story.repo.path / ".shiplock").read_bytes(), story.git("status", "-s")
    commit = tried(story, first.lock)
    assert (story.repo.path / ".shiplock").read_bytes() == lockfile
    assert story.git("status", "-s") == status
    assert story.git("diff", "--stat", "HEAD^", "HEAD") == ""

    newest = story.audit()["entries"][0]
    assert (newest["kind"], newest["commit"]) == ("attempted", commit)
    assert newest["version"] == first.lock.service.version
    said = newest["record"]
    assert (said["command"], said["outcome"]) == ("rollback", "undone")
    assert said["reason"] == "The search was empty"
    assert "rollback tried: undone" in story.run().stdout
    assert told(story)[1:] == [("locked", ["deployed"]), ("locked", ["deployed"])]
    assert story.audit("verify")["holds"]

    # What was in force is what was before.
    [at] = story.audit("--at", "2100-01-01")["entries"]
    assert at["version"] == second.lock.service.version
    [state] = story.audit("show", second.lock.service.version)["entries"]
    assert state["entry"]["kind"] == "locked"
    assert "until" not in story.run("show", second.lock.service.version).stdout
    assert story.audit("diff", "HEAD~1", "HEAD")["differences"]["fields"] == []
    assert story.audit("show", commit)["entries"][0]["entry"]["kind"] == "attempted"


def test_a_record_of_a_lock_that_nobody_committed(story: Story) -> None:
    deployed(story, there(story, story.lock()))
    other = story.lock(env={"NUMBER": "7"})
    commit = tried(story, other, "failed")
    newest = story.audit()["entries"][0]
    assert (newest["kind"], newest["fingerprint"]) == ("attempted", other.fingerprint)
    assert (newest["service"], newest["path"], newest["hosts"]) == (None, "", ["local"])
    [finding] = story.audit("verify", status=3)["findings"]
    assert (finding["kind"], finding["commit"]) == ("record", commit)
    assert "never committed" in story.run("show", commit).stdout
    # Of a part of the history it can't be told, and once it is committed it isn't so.
    assert story.audit("verify", "HEAD^..HEAD")["holds"]
    story.put(other, "Commit it after all")
    assert story.audit("verify")["holds"]
    assert told(story)[1] == ("attempted", ["failed"])


def test_copies_of_a_record_are_one_deploy(story: Story) -> None:
    """Cherry-picked, reverted, rebased, amended, merged: each commit is what it is."""
    found = there(story, story.lock())
    story.put(found.lock, "Lock it")
    record = deployed(story, found)
    deploys = [("recorded", ["deployed"]), ("locked", ["deployed"])]
    story.git("switch", "--quiet", "--create", "side", "HEAD^")
    story.repo.write("side.txt", "side\n")
    story.commit("side")
    story.git("cherry-pick", "--allow-empty", record)
    assert story.repo.head != record
    assert told(story) == deploys
    entries = story.audit("--all")["entries"]
    assert [each["kind"] for each in entries] == ["recorded", "recorded", "locked"]
    assert [bool(each["same-as"]) for each in entries] == [True, False, False]
    assert entries[2]["attempts"] == []
    assert story.audit("report", "--all")["figures"]["deployments"] == 1

    story.git("revert", "--no-edit", "--allow-empty", "HEAD", ok=False)
    story.git("commit", "--quiet", "--allow-empty", "--no-edit", ok=False)
    assert told(story) == deploys
    story.git("switch", "--quiet", "main")
    story.work("three")
    story.git("rebase", "--quiet", "--force-rebase", "HEAD~3")
    assert story.repo.head != record
    assert told(story) == deploys
    story.git("merge", "--quiet", "--no-edit", "side")
    entries = story.audit()["entries"]
    assert sorted(each["kind"] for each in entries) == ["locked"] * 2 + ["recorded"] * 2
    assert len([each for each in entries if each["same-as"]]) == 2
    assert story.audit("verify", "--all")["holds"]


def test_a_record_with_another_date_stays_above_its_state(story: Story) -> None:
    """Whoever's clock was wrong, the order is that of the commits."""
    found = there(story, story.lock())
    story.put(found.lock, "Lock it")
    for date in ("1400000000 +0000", "1900000000 +0000", "1400000001 +0000"):
        story.git("commit", "--quiet", "--allow-empty", "--message", f"x\n\n{trailers(found.lock)}",
                  GIT_COMMITTER_DATE=date, GIT_AUTHOR_DATE=date)  # fmt: skip
    story.work("two")
    story.locked("Lock two")
    ids = story.git("rev-list", "HEAD").split()
    shown = [each["commit"] for each in story.audit()["entries"]]
    assert shown == [each for each in ids if each in shown]
    assert [kind for kind, _ in told(story)] == ["locked", *["recorded"] * 3, "locked"]


def test_a_record_is_what_a_message_ends_with(story: Story) -> None:
    """Words in the middle of a message record nothing; other services' locks aren't mixed up."""
    one = story.lock()
    story.put(one, "Lock it")
    two = story.lock(service={"destination": "eu"})
    story.put(two, "Lock the other", ".shiplock.eu")
    text = f"Lockship-Fingerprint: {one.fingerprint}"
    story.commit(f"See\n\n{text}\n\nwhich is nothing")
    story.commit(f"See\n\nLockship-Version: {one.service.version}")
    assert {kind for kind, _ in told(story)} == {"locked"}
    record = story.commit(f"Deploy eu\n\n{trailers(two)}\nLockship-Performer: \x1b[2J<script>")
    newest, eu, default = story.audit()["entries"]
    assert (newest["commit"], newest["path"]) == (record, ".shiplock.eu")
    assert (eu["record"]["outcome"], default["record"]) == ("deployed", None)
    assert "\x1b" not in story.run().stdout + story.run("show", "HEAD").stdout
    assert [each["commit"] for each in story.audit("-d", "eu")["entries"]] == [record, eu["commit"]]


def trailers(lock: Lock) -> str:
    hosts = ", ".join(lock.every_host)
    said = {"Version": lock.service.version, "Fingerprint": lock.fingerprint, "Hosts": hosts}
    return "\n".join(f"Lockship-{k}: {v}" for k, v in (said | {"Outcome": "deployed"}).items())


def test_the_memory_learns_of_records(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was remembered of a branch is the same as what one look at all of it tells."""
    lock = story.lock()
    found = there(story, lock)
    story.put(lock, "Lock it")
    for number in range(4):
        monkeypatch.setenv("LOGNAME", f"jo{number}")  # as if some seconds later
        deployed(story, found) if number % 2 else tried(story, story.lock(env={"N": str(number)}))
        fresh = story.audit(f"--ref={story.repo.head}")["entries"]
        assert story.audit()["entries"] == fresh
    lockfile = story.repo.path / ".shiplock"
    assert lockfile.read_bytes() == dump(lock)
    assert [kind for kind, _ in told(story)] == [*["recorded", "attempted"] * 2, "locked"]
    assert {each for each, _ in told(story)} - {"locked"} == set(RECORDS)


def test_the_report_counts_recorded_deploys(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that was committed first is deployed when that is recorded, as often as it is."""
    found = there(story, story.lock())
    story.put(found.lock, "Lock it")
    for who in ("jo", "mara"):
        monkeypatch.setenv("LOGNAME", who)
        deployed(story, found)
    story.work("two")
    second = there(story, story.lock())
    deployed(story, second)
    tried(story, found.lock)
    data = story.audit("report")
    assert (data["figures"]["deployments"], data["figures"]["leads"]) == (3, 2)
    by_kind = [(each["row"]["kind"], each["outcome"]) for each in data["states"]]
    assert by_kind == [
        ("attempted", "undone"), ("locked", "deployed"), ("recorded", "deployed"),
        ("recorded", "deployed"), ("locked", None),
    ]  # fmt: skip
    assert [mark["back"] for mark in data["marks"]] == [True, False, False, False]
    assert story.run("report", "--html", "report.html", "--markdown", "report.md").returncode == 0
    page = (story.repo.path / "report.html").read_text()
    assert "2 lockfile states and 3 recorded deploys" in page
    assert "locked; deployed later" in page and "rollback undone at 20" in page
    assert "rollback tried: undone" in (story.repo.path / "report.md").read_text()
