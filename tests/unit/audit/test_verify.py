"""`audit verify` from git: what was tampered with is named, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from lockship.lock.fingerprint import build_key, sealed
from lockship.lock.image import Artifact
from lockship.lock.model import Lock
from lockship.lock.writer import dump
from tests.unit.audit.story import Story, begin


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return begin(tmp_path / "shop")


def told(found: Any) -> list[tuple[str, str, str | None]]:
    return [(each["commit"], each["kind"], each["field"]) for each in found["findings"]]


def test_a_sound_history_holds(story: Story) -> None:
    one = story.locked("lock 1")
    story.put(replace(one, artifact=_artifact(one)), "built")
    story.work("two")
    story.locked(
        "release", service={"version": "v2"}, image={"tag": "v2"}, source={"release": True}
    )
    story.put(one, "rollback")
    story.git("rm", "--quiet", ".shiplock")
    story.commit("gone")
    assert story.audit("verify") == {"holds": True, "locks": 4, "findings": []}
    assert story.run("verify").stderr == "4 lockfile states checked: all holds\n"
    assert story.audit("verify", "HEAD~2..HEAD~1")["locks"] == 1


def _artifact(lock: Lock) -> Artifact:
    return Artifact(key=build_key(lock), image_id="sha256:" + "ab" * 32)


def edits(text: str) -> Iterator[tuple[str, str]]:
    """Change the value of each line that holds a key: the field, and the whole text."""
    lines = text.splitlines(keepends=True)
    table = ""
    for number, line in enumerate(lines):
        if line.startswith("["):
            table = line.strip("[]\n").replace('"', "") + "."
        key, equals, value = line.rstrip("\n").partition(" = ")
        if equals and table != "artifact." and (table + key) not in ("lock-version", "fingerprint"):
            yield (
                table + key,
                "".join([*lines[:number], f"{key} = {_other(value)}\n", *lines[number + 1 :]]),
            )


def _other(value: str) -> str:
    if value in ("true", "false"):
        return "true" if value == "false" else "false"
    if value[0] == '"':
        last = value[-2]
        return value[:-2] + ("1" if last != "1" else "2") + '"'
    return value[:-1] + ', "web9"]' if value[0] == "[" else f"{float(value) + 1}"


def test_each_field_that_is_edited_is_named(story: Story) -> None:
    lock = story.lock(
        env={"A": "1"}, build={"target": "web"}, deploy={"retain": 5}, healthcheck={"path": "/up"}
    )
    lock = replace(lock, artifact=_artifact(lock))
    expected = []
    text = dump(lock).decode()
    for field, edited in edits(text):
        story.put(lock, f"sound {field}")
        story.repo.write(".shiplock", edited)
        expected.append((story.commit(f"edited {field}"), field))
    found = story.audit("verify", status=3)
    assert len(expected) > 12
    named = [(commit, (field or "").partition("[")[0]) for commit, _, field in told(found)]
    assert sorted(named) == sorted(expected)
    assert {kind for _, kind, _ in told(found)} <= {"edited", "damaged"}


def test_each_lie_that_is_sealed_is_named(story: Story) -> None:
    lock = story.locked("sound")
    story.work("two")
    other = story.lock()
    at, named = "2020-01-01T00:00:00Z", _with(lock, "image", tag="v9")
    lies: list[tuple[str, str, Lock]] = [
        ("missing", "source.commit", _with(lock, "source", commit="12" * 20)),
        ("source", "source.commit", _with(lock, "source", commit=other.source.tree)),
        ("source", "source.tree", _with(lock, "source", tree=other.source.tree)),
        ("source", "source.subject", _with(lock, "source", subject="nicer")),
        ("source", "source.author", _with(lock, "source", author="Eve <e@x.org>")),
        ("source", "source.committed-at", _with(lock, "source", committed_at=at)),
        ("version", "service.version", _with(named, "service", version="v9")),
        ("version", "image.tag", _with(lock, "image", tag="v9")),
        ("snapshot", "source.changes", _with(lock, "source", changes=("M app.txt",))),
        ("artifact", "artifact.key", replace(lock, artifact=_artifact(other))),
    ]  # fmt: skip
    expected = [
        (story.put(lie, f"lie {number}"), kind, field)
        for number, (kind, field, lie) in enumerate(lies)
    ]
    assert sorted(told(story.audit("verify", status=3))) == sorted(expected)


def _with(lock: Lock, table: str, **change: Any) -> Lock:
    return sealed(replace(lock, **{table: replace(getattr(lock, table), **change)}))


def test_a_source_that_no_ref_keeps_and_one_that_is_gone(story: Story) -> None:
    story.git("switch", "--quiet", "--create", "work")
    story.work("on a branch")
    lock = story.lock()
    story.git("switch", "--quiet", "main")
    story.put(lock, "lock")
    assert story.audit("verify")["holds"]
    story.git("branch", "--quiet", "-D", "work")
    expected = [(story.said["lock"], "unkept", "source.commit")]
    assert told(story.audit("verify", status=3)) == expected
    story.git("reflog", "expire", "--expire=all", "--all")
    story.git("gc", "--quiet", "--prune=now")
    expected = [(story.said["lock"], "missing", "source.commit")]
    assert told(story.audit("verify", status=3)) == expected


def test_what_a_commit_says_of_another_lock(story: Story) -> None:
    lock = story.lock()
    story.put(lock, f"deploy\n\nLockship-Fingerprint: {lock.fingerprint}\nLockship-Outcome: undone")
    [entry] = story.audit()["entries"]
    assert entry["record"]["outcome"] == "undone"
    story.put(
        sealed(replace(lock, env={"A": "1"})), f"x\n\nLockship-Fingerprint: {lock.fingerprint}"
    )
    found = story.audit("verify", status=3)
    assert told(found) == [(story.repo.head, "record", None)]


def test_clocks_that_were_wrong(story: Story) -> None:
    """A source dated long after all that came from it is still in a branch's history."""
    story.minute = 10_000
    story.work("from the future")
    lock = story.lock()
    story.minute = 0
    for number in range(12):
        story.commit(f"empty {number}")
    story.put(lock, "lock")
    story.audit()
    story.work("more")
    story.locked("lock 2")
    assert [each["subject"] for each in story.audit()["entries"]] == ["lock 2", "lock"]
    assert story.audit("verify")["holds"]
