"""`hook verify` in the formats that GitHub and GitLab show on the changed lines of a lockfile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.gitrepo import Repo
from tests.unit.hook import scenes
from tests.unit.hook.scenes import LOCK, begin
from tests.unit.hook.scenes import lockship as run

SINCE = "origin/main..HEAD"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """With a lock in which one value was edited by hand."""
    repo = begin(tmp_path)
    scenes.replaced('hosts = ["local"]', 'hosts = ["local"]\nmemory = "2g"')(repo)
    return repo


def line_of(repo: Repo, start: str) -> int:
    lines = (repo.path / LOCK).read_text().splitlines()
    return 1 + next(number for number, line in enumerate(lines) if line.startswith(start))


def test_github_shows_it_on_the_line_of_the_key(repo: Repo) -> None:
    shown = run(repo, "hook", "verify", SINCE, "--format", "github", ok=(3,))
    text = f'{repo.head[:12]} "Give it more memory" .shiplock: roles.web.memory: it was edited'
    (line,) = shown.splitlines()
    place = f"file=.shiplock,line={line_of(repo, 'memory')},title=lockship%3A edited"
    assert line.startswith(f"::error {place}::{text} by hand%0A")
    assert line.endswith("`git reset --keep HEAD~1 && lockship prepare`")


def test_gitlab_has_a_report_of_code_quality(repo: Repo) -> None:
    report = json.loads(run(repo, "hook", "verify", SINCE, "--format", "gitlab", ok=(3,)))
    (found,) = report
    assert set(found) == {"description", "check_name", "fingerprint", "severity", "location"}
    assert (found["check_name"], found["severity"]) == ("lockship-edited", "critical")
    assert found["location"] == {"path": LOCK, "lines": {"begin": line_of(repo, "memory")}}
    assert "roles.web.memory" in found["description"]
    again = json.loads(run(repo, "hook", "verify", SINCE, "--format", "gitlab", ok=(3,)))
    assert again == report, "the same finding has the same fingerprint in every run"


def test_what_stops_nothing_is_a_warning_or_a_notice(tmp_path: Path) -> None:
    repo = begin(tmp_path, f"{scenes.POLICY}allow-dirty = false\n")
    text = (repo.path / "lockship.toml").read_text()
    repo.write("lockship.toml", text.replace("allow-dirty = false\n", ""))
    repo.commit("Allow it")
    scenes.locked(repo)
    repo.git("checkout", "--quiet", "origin/main", "--", LOCK)
    repo.commit("Back to lock 1")
    shown = run(repo, "hook", "verify", SINCE, "--format", "github").splitlines()
    assert [line.partition(" ")[0] for line in shown] == ["::notice", "::warning"]
    assert "a rollback, from " in shown[0]
    assert "a weaker policy, [policy] allow-dirty: false to true" in shown[1]
    report = json.loads(run(repo, "hook", "verify", SINCE, "--format", "gitlab"))
    assert [each["severity"] for each in report] == ["info", "minor"]


def test_nothing_wrong_is_an_empty_report(tmp_path: Path) -> None:
    repo = begin(tmp_path)
    scenes.change_and_lock(repo)
    assert run(repo, "hook", "verify", SINCE, "--format", "github") == ""
    assert json.loads(run(repo, "hook", "verify", SINCE, "--format", "gitlab")) == []
