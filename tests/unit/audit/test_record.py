"""What deploys record in git, written by `cli.recording` and read back by `audit`."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from lockship.cli import recording
from lockship.cli.lockfile import Found
from lockship.errors import LockshipError, UndoneError, UsageError
from lockship.lock.fingerprint import build_key
from lockship.lock.image import Artifact
from lockship.lock.model import Lock
from lockship.lock.writer import dump
from tests.unit.audit.story import Story, begin

WHO = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Jo Deployer"), ("EMAIL", "jo@example.com"))
}


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("USER", "jo\nLockship-Outcome: failed\x1b[2J")
    monkeypatch.setenv("LOGNAME", "jo\nLockship-Outcome: failed\x1b[2J")
    return begin(tmp_path / "shop")


def there(story: Story, lock: Lock) -> Found:
    """The lockfile, written and not committed."""
    path = story.repo.path / ".shiplock"
    path.write_bytes(dump(lock))
    return Found(story.repo.path, path, lock)


def begun(
    story: Story, found: Found, command: recording.Command, **words: str
) -> recording.Recording:
    made = recording.wanted(found, command, commit=True, reason=words.get("reason"))
    assert made is not None
    return made


def error(outcome: str) -> LockshipError:
    made = UndoneError("it was undone")
    made.outcome = outcome
    return made


def told(story: Story, *words: str) -> list[tuple[str, list[str]]]:
    """Each state's kind, and how its deploys ended."""
    return [
        (each["kind"], [said["outcome"] for said in (*each["attempts"], each["record"]) if said])
        for each in story.audit(*words)["entries"]
    ]


def states(story: Story, *words: str) -> list[tuple[str, list[str]]]:
    """The same of the lockfile's states alone."""
    return [each for each in told(story, *words) if each[0] != "recorded"]


def test_a_deploy_and_a_rollback_are_read_back(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    first = story.lock()
    found = there(story, first)
    assert recording.ended(None, found, changed=True).committed is False
    made = recording.ended(begun(story, found, "deploy"), found, changed=True)
    assert (made.commit, made.committed, made.error) == (story.repo.head, True, None)
    artifact = Artifact(key=build_key(first), image_id="sha256:" + "ab" * 32)
    built = there(story, replace(first, artifact=artifact))
    assert recording.ended(None, built, changed=True).committed is False  # HEAD's has no image
    story.work("two")
    second = there(story, story.lock())
    recording.ended(begun(story, second, "deploy"), second, changed=True)
    back = there(story, first)
    reason = "Search was empty.\nLockship-Hosts: none\n\n--- \x1b]0;x\x07"
    recording.ended(begun(story, back, "rollback", reason=reason), back, changed=True)
    assert recording.ended(None, back, changed=True).committed is True

    newest, *older = story.audit()["entries"]
    record = newest["record"]
    assert newest["subject"] == f"Roll back shop to {first.service.version}"
    assert (record["version"], record["fingerprint"], record["hosts"], record["outcome"]) == (
        first.service.version, first.fingerprint, ["local"], "deployed",
    )  # fmt: skip
    assert record["reason"] == "Search was empty. Lockship-Hosts: none --- ]0;x"
    assert record["performer"].startswith("jo Lockship-Outcome: failed [2J@")
    assert record["deployed-at"].endswith("+00:00")
    assert (newest["kind"], newest["problems"]) == ("rollback", [])
    assert newest["author"]["email"] == "jo@example.com"
    assert [each["subject"].split()[0] for each in older] == ["Deploy", "two", "Deploy"]
    shown = story.run("show", "HEAD").stdout
    assert "reason     Search was empty. Lockship-Hosts: none --- ]0;x\n" in shown
    assert story.audit("verify")["holds"]
    assert "\x1b" not in story.run("--csv").stdout + capsys.readouterr().out


def test_a_failed_deploy_that_was_repeated(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    found = there(story, story.lock())
    recording.failed(begun(story, found, "deploy"), found, LockshipError("no host was reached"))
    assert told(story) == []
    recording.failed(begun(story, found, "deploy"), found, error("undone"))
    assert "recorded as failed: commit " in capsys.readouterr().err
    assert told(story) == [("locked", ["undone"])]
    recording.failed(begun(story, found, "deploy"), found, error("failed"))
    story.work("in between")
    head = story.repo.head
    made = recording.ended(begun(story, found, "deploy"), found, changed=True)
    assert made.commit == story.repo.head != head
    assert story.git("diff", "--stat", "HEAD^", "HEAD") == ""
    first = ("locked", ["undone", "failed", "deployed"])
    assert states(story) == [first] == states(story, "--all")
    assert told(story)[:2] == [("recorded", ["deployed"]), ("recorded", ["failed"])]
    assert "undone, then failed, then deployed" in story.run().stdout
    assert recording.ended(begun(story, found, "deploy"), found, changed=False).commit is None

    # Another lock's record, and the same lock's on a branch that hasn't this one, are not its.
    second = there(story, story.lock())
    recording.failed(begun(story, second, "deploy"), second, error("attention"))
    story.git("switch", "--quiet", "--create", "side")
    recording.ended(begun(story, second, "deploy"), second, changed=True)
    story.git("switch", "--quiet", "main")
    third = there(story, replace(story.lock(env={"A": "3"})))
    recording.ended(begun(story, third, "deploy"), third, changed=True)
    assert states(story) == [("locked", ["deployed"]), ("locked", ["attention"]), first]
    both = [("locked", ["deployed"]), ("locked", ["attention", "deployed"]), first]
    assert states(story, "--all") == both
    assert story.audit("verify", "--all")["holds"]


def test_what_ran_where_the_newest_deploy_failed(story: Story) -> None:
    """Who asks what ran on a host at a time gets the failed one, and the one that served on."""
    first = there(story, story.lock())
    recording.ended(begun(story, first, "deploy"), first, changed=True)
    story.work("two")
    second = there(story, story.lock())
    recording.failed(begun(story, second, "deploy"), second, error("undone"))
    at = ("--at", "2100-01-01", "--host", "local")
    versions = [each["version"] for each in story.audit(*at)["entries"]]
    assert versions == [second.lock.service.version, first.lock.service.version]
    assert told(story, *at) == [("locked", ["undone"]), ("locked", ["deployed"])]
    recording.ended(begun(story, second, "deploy"), second, changed=True)
    assert states(story, *at) == [("locked", ["undone", "deployed"])]
    assert told(story, "--at", "2100-01-01", "--host", "web2") == []


def test_the_memory_learns_of_later_records(story: Story) -> None:
    found = there(story, story.lock())
    recording.failed(begun(story, found, "deploy"), found, error("failed"))
    assert told(story) == [("locked", ["failed"])]
    recording.ended(begun(story, found, "deploy"), found, changed=True)
    assert told(story) == [("recorded", ["deployed"]), ("locked", ["failed", "deployed"])]
    again = told(story)
    assert again == [("recorded", ["deployed"]), ("locked", ["failed", "deployed"])]


def test_what_was_deployed_before_has_no_time(story: Story) -> None:
    found = there(story, story.lock())
    made = recording.ended(begun(story, found, "deploy"), found, changed=False)
    [entry] = story.audit()["entries"]
    assert (entry["commit"], entry["record"]["deployed-at"]) == (made.commit, None)
    assert entry["record"]["performer"] is None
    assert "journals" in story.run("show", "HEAD").stdout


def test_a_message_that_records_another_lock(story: Story) -> None:
    found = there(story, story.lock())
    recording.ended(begun(story, found, "deploy"), found, changed=True)
    text = story.git("log", "-1", "--format=%B")
    for wrong in ("Version: x", "Fingerprint: sha256:00", "Hosts: local, web9"):
        story.git("commit", "--quiet", "--amend", "--message", f"{text}\nLockship-{wrong}")
        [finding] = story.audit("verify", status=3)["findings"]
        assert (finding["kind"], finding["commit"]) == ("record", story.repo.head)
        assert story.audit()["entries"][0]["problems"] != []
    story.git("commit", "--quiet", "--amend", "--message", text)
    assert story.audit("verify")["holds"]


def test_a_lockfile_that_changed_meanwhile_is_not_committed(story: Story) -> None:
    found = there(story, story.lock())
    record = begun(story, found, "deploy")
    there(story, story.lock(env={"A": "2"}))
    made = recording.ended(record, found, changed=True)
    assert (made.commit, made.committed) == (None, False)
    said = recording.failure(made, "shop 1 serves on 1 host")
    assert said is not None
    assert said.message == "shop 1 serves on 1 host, but that couldn't be recorded in git."
    assert "changed while" in said.details[0]
    assert told(story) == []


def test_who_decides_whether_it_is_committed(story: Story, tmp_path: Path) -> None:
    plain = there(story, story.lock())
    assert recording.wanted(plain, "deploy", commit=None) is None
    assert recording.wanted(plain, "rollback", commit=None, reason="so") is not None
    with pytest.raises(UsageError, match="--no-commit"):
        recording.wanted(plain, "rollback", commit=False, reason="so")
    for words in (["-m", ""], ["-m", "so", "--no-commit"]):  # before any host is asked
        assert story.lockship("rollback", *words).returncode == 2
    always = there(story, story.lock(deploy={"commit": True}))
    assert recording.wanted(always, "deploy", commit=None) is not None
    assert recording.wanted(always, "deploy", commit=False) is None
    # Outside of a repository it can't be told whether a lock is committed, and can't be done.
    alone = tmp_path / ".shiplock"
    alone.write_bytes(dump(plain.lock))
    elsewhere = Found(tmp_path, alone, plain.lock)
    assert recording.ended(None, elsewhere, changed=True).committed is None
    with pytest.raises(UsageError, match="not a git repository"):
        recording.wanted(elsewhere, "deploy", commit=True)
    link = story.repo.path / ".shiplock"
    link.unlink()
    link.symlink_to(alone)
    with pytest.raises(LockshipError, match="symlink"):
        recording.wanted(always, "deploy", commit=None)
