"""`audit show` and `audit diff`: one state in full, and what lies between two."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.unit.audit.story import Story, begin


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return begin(tmp_path / "shop")


def test_show(story: Story) -> None:
    first = story.locked("lock 1", env={"A": "1"})
    story.work("two")
    second = story.locked("lock 2")
    version = first.service.version

    [shown] = story.audit("show", version[:8])["entries"]
    assert shown["entry"]["commit"] == story.said["lock 1"]
    assert (shown["lock"]["env"], shown["findings"]) == ({"A": "1"}, [])
    text = story.run("show", version).stdout
    assert f"version      {version}\n" in text
    assert f"until        2026-03-03T01:09:40+00:00: {second.service.version}" in text
    assert "checked      all holds\n" in text

    # A commit that made a state, one at which it was in force, a branch, and none of them.
    for word in (story.said["lock 1"], story.said["two"], "HEAD~1", "HEAD~2"):
        assert story.audit("show", word)["entries"][0]["entry"]["version"] == version
    for word in ("HEAD~3", "no-such", "--output=x", "abc"):
        assert story.run("show", word).returncode == 2


def test_show_of_several_lockfiles(story: Story) -> None:
    lock = story.locked("one")
    story.locked("two", ".shiplock.eu", service={"destination": "eu"})
    version = lock.service.version
    assert len(story.audit("show", version)["entries"]) == 2
    assert len(story.audit("show", version, "-d", "eu")["entries"]) == 1
    done = story.run("diff", version, "HEAD")
    assert (done.returncode, ".shiplock.eu, .shiplock" in done.stderr) == (2, True)
    assert story.audit("diff", version, "HEAD", "-d", "eu")["differences"]["fields"] == []


def test_diff(story: Story) -> None:
    one = story.locked("lock 1", env={"A": "1"})
    story.repo.write("dir/b\n.txt", "new\n")
    story.work("two")
    roles = {"web": replace(one.roles["web"], hosts=("local", "web2"))}
    two = story.lock(
        env={"A": "2"}, roles=roles, hosts={"local": one.hosts["local"], "web2": one.hosts["local"]}
    )
    story.put(two, "lock 2")
    words = ("diff", one.service.version, two.service.version)

    found = story.audit(*words, "--patch")
    fields = {
        each["field"]: (each["before"], each["after"]) for each in found["differences"]["fields"]
    }
    assert fields["env.A"] == ("1", "2")
    assert fields["roles.web.hosts"] == (["local"], ["local", "web2"])
    # The commit of the lock lies between as well: it is in the new source's history.
    commits = [(each["side"], each["subject"]) for each in found["differences"]["commits"]]
    assert commits == [("+", "two"), ("+", "lock 1")]
    assert found["differences"]["files"] == ["M app.txt", 'A "dir/b\\n.txt"']
    assert "+two" in found["patch"]
    text = story.run(*words).stdout
    assert '  variable A changed: "1" → "2"\n' in text
    assert "  host web2 added to role web\n" in text
    assert "Ada Shipper <ada@example.com>: two" in text

    back = story.audit("diff", two.service.version, one.service.version)["differences"]
    assert [each["side"] for each in back["commits"]] == ["-", "-"]
    same = story.audit("diff", "HEAD", "HEAD")["differences"]
    assert (same["fields"], same["commits"], same["files"]) == ([], [], [])


def test_diff_without_a_source(story: Story) -> None:
    story.locked("lock 1")
    story.locked("lock 2", source={"commit": "12" * 20})
    found = story.audit("diff", "HEAD~1", "HEAD")["differences"]
    assert found["missing"] == ["12" * 20]
    assert "not in this repository" in story.run("diff", "HEAD~1", "HEAD").stdout


def test_a_service_made_of_some_paths(story: Story) -> None:
    """What another service of the same repository is made of isn't its change."""
    for name in ("a", "b"):
        story.repo.write(f"{name}/app.txt", "one\n")
    story.work("begin")
    old = story.lock(source={"paths": ("a",)})
    story.put(old, "lock 1", "a/.shiplock")
    story.repo.write("b/app.txt", "two\n")
    story.commit("only b")
    story.repo.write("a/app.txt", "two\n")
    story.commit("only a")
    new = story.lock(source={"paths": ("a",)})
    story.put(new, "lock 2", "a/.shiplock")
    found = story.audit("diff", "HEAD~3", "HEAD", "--patch")
    assert [each["subject"] for each in found["differences"]["commits"]] == ["only a", "lock 1"]
    assert found["differences"]["files"] == ["M a/app.txt"]
    assert "b/app.txt" not in found["patch"]
