"""`lockship audit report` on a real repository: what it writes, and what it says of mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.unit.audit.report.html import by_id, parsed, text_of
from tests.unit.audit.story import Story, begin

TWO = "lock two\n\nLockship-Outcome: undone"


@pytest.fixture
def story(tmp_path: Path) -> Story:
    story = begin(tmp_path / "shop")
    first = story.locked("lock one")
    story.work("two")
    story.put(story.lock(env={"A": "1"}), TWO)
    story.put(first, "back to one", GIT_COMMITTER_NAME="Bo Merger", GIT_COMMITTER_EMAIL="bo@x.org")
    story.work("three")
    story.locked("lock eu", ".shiplock.eu", service={"destination": "eu"})
    return story


def test_page_markdown_json_and_the_other_commands_say_the_same(story: Story) -> None:
    done = story.run("report", "--html", "out.html", "--markdown", "out.md", "--json")
    assert (done.returncode, done.stderr) == (0, "wrote out.html\nwrote out.md\n")
    report = json.loads(done.stdout)
    tree = parsed((story.repo.path / "out.html").read_text())
    markdown = (story.repo.path / "out.md").read_text()
    # The table has what `audit log` has, and `audit verify` finds what it says.
    entries = story.audit("log")["entries"]
    assert [each["row"]["commit"] for each in report["states"]] == [e["commit"] for e in entries]
    rows = by_id(tree, "table").find("tbody").findall("tr")
    assert [[text_of(cell) for cell in row][1:4] for row in rows] == [
        ["shop.eu", entries[0]["version"], "not recorded"],
        ["shop", entries[1]["version"], "not recorded"],
        ["shop", entries[2]["version"], "✗ undone"],
        ["shop", entries[3]["version"], "not recorded"],
    ]
    assert [text_of(row[6]) for row in rows][1] == f"rollback to {story.said['lock one'][:12]}"
    assert story.audit("verify")["findings"] == report["verification"]["findings"] == []
    words = report["verification"]["command"]
    assert words == f"lockship audit verify {story.repo.head}"
    assert story.audit(*words.split()[2:])["locks"] == report["verification"]["locks"] == 4
    # The parts have what `audit show` has.
    shown = story.run("show", story.said[TWO][:12]).stdout.splitlines()
    part = text_of(by_id(tree, report["states"][2]["id"]))
    for line in shown:
        label, *values = re.split(r"  +", line.strip())
        if label not in ("kind", "recorded", "until", "committer", "author"):
            assert [value for value in values if value not in part] == [], line
    assert 'variable A added: "1"' in part
    figures = report["figures"]
    assert (figures["deployments"], figures["rollbacks"], figures["bad"]) == (2, 1, 1)
    value = text_of(by_id(tree, "figures"))
    assert "33 % 1 of 3 deploys that reached hosts" in value
    assert "| Change failure rate | 33 % |" in markdown
    for entry in entries:
        assert f"`{entry['commit'][:12]}`" in markdown


def test_what_is_asked_for_is_what_is_shown(story: Story) -> None:
    def subjects(*words: str) -> list[str]:
        said = json.loads(story.run("report", "--json", *words).stdout)
        return [each["row"]["subject"] for each in said["states"]]

    assert subjects("-d", "eu") == ["lock eu"]
    assert subjects("--author", "bo@x") == ["back to one"]
    assert subjects("--ref", story.said[TWO]) == ["lock two", "lock one"]
    assert subjects("--until", "2000-01-01") == []
    assert len(subjects("--all")) == 4
    report = json.loads(story.run("report", "--json", "-d", "eu", "--all").stdout)
    assert report["verification"]["command"] == "lockship audit verify --all -d eu"
    assert (report["scope"]["projects"], report["verification"]["locks"]) == (["shop.eu"], 1)
    assert report["scope"]["chosen"] == {"destination": "eu"}


def test_a_lock_that_lies_is_named_on_the_page(story: Story) -> None:
    lock = story.repo.path / ".shiplock"
    lock.write_text(lock.read_text().replace("the subject", "a nicer subject"))
    lock.write_text(lock.read_text().replace('subject = "', 'subject = "nicer '))
    story.commit("nicer")
    report = json.loads(story.run("report", "--json", "--html", "out.html").stdout)
    assert report["verification"]["findings"] == story.audit("verify", status=3)["findings"]
    tree = parsed((story.repo.path / "out.html").read_text())
    assert "edited by hand" in text_of(by_id(tree, "verification"))
    assert "edited by hand" in text_of(by_id(tree, report["states"][0]["id"]))


def test_mistakes_are_told_before_anything_is_looked_up(story: Story) -> None:
    for words, said in (
        ((), "Say what to write"),
        (("--html", "-", "--json"), "Only one of"),
        (("--html", "-", "--markdown", "-"), "Only one of"),
        (("--html", "a", "--markdown", "a"), "name two"),
        (("--html", "."), "is a folder"),
        (("--html", "nowhere/out.html"), "is no folder"),
        (("--html", "-", "--all", "--ref", "main"), "--all goes without --ref"),
        (("--html", "-", "--since", "soon"), "is no time"),
        (("--html", "-", "--ref", "nothing"), "no commit 'nothing'"),
    ):
        done = story.run("report", *words)
        assert (done.returncode, done.stdout) == (2, ""), words
        assert said in done.stderr


def test_it_can_go_to_stdout_and_over_a_file(story: Story) -> None:
    out = story.repo.path / "out.html"
    out.write_text("old")
    assert story.run("report", "--html", "out.html", "--until", "2000-01-01").returncode == 0
    page = story.run("report", "--html", "-", "--until", "2000-01-01").stdout
    parsed(page)
    assert len(out.read_text()) > 10_000
    assert story.run("report", "--markdown", "-").stdout.startswith("# Deploys of shop, shop.eu\n")


def test_a_history_without_a_lock_is_a_page_that_says_so(tmp_path: Path) -> None:
    story = begin(tmp_path / "shop")
    page = story.run("report", "--html", "-").stdout
    tree = parsed(page)
    assert "No lockfile was ever committed here." in page
    assert text_of(by_id(tree, "timeline")) == "Time line No deploy in this period."
    assert text_of(by_id(tree, "deploys")) == "Deploys 0 lockfile states"


def test_odd_histories_make_valid_pages(tmp_path: Path) -> None:
    """Whatever became of a lockfile, and whatever the clocks said."""
    story = begin(tmp_path / "shop")
    first = story.lock()
    story.put(first, "one", GIT_COMMITTER_DATE="@0 +0000")
    story.work("two")
    story.put(story.lock(), "from the future", GIT_COMMITTER_DATE="@99999999999 +1400")
    story.git("mv", ".shiplock", ".shiplock.eu")
    story.commit("moved")
    story.git("rm", "--quiet", ".shiplock.eu")
    story.commit("gone")
    story.repo.write("docs/.shiplock", "lock-version = 99")
    story.commit("of another time")
    (story.repo.path / ".shiplock").symlink_to("app.txt")
    story.commit("a symlink")
    story.git("rm", "--quiet", ".shiplock")
    story.put(first, "back\n\nLockship-Outcome: exploded\nLockship-Deployed-At: at noon")
    done = story.run("report", "--html", "out.html", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    tree = parsed((story.repo.path / "out.html").read_text())
    rows = by_id(tree, "table").find("tbody").findall("tr")
    entries = story.audit("log", "--everywhere")["entries"]
    assert [each["row"]["commit"] for each in report["states"]] == [e["commit"] for e in entries]
    assert [text_of(row[3]) for row in rows] == [
        "exploded", "unreadable", "unreadable", "removed", "moved", "not recorded", "not recorded",
    ]  # fmt: skip
    assert {mark["outcome"] for mark in report["marks"]} == {"exploded", "unrecorded"}
    assert report["figures"]["rollbacks"] == 1
    assert "unreadable: has lock-version 99" in text_of(by_id(tree, report["states"][2]["id"]))
    assert "Checked" not in text_of(by_id(tree, report["states"][3]["id"]))
