"""Under frameworks of hooks: what docs/hooks.md says to write, with the real ones."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.harness.fleet import REPOSITORY
from tests.unit.gitrepo import CONFIG, Repo, create
from tests.unit.hook.scenes import change_and_lock, locked, push, replaced, shell

PRE_COMMIT = """\
repos:
- repo: file://{source}
  rev: {rev}
  hooks: [{{id: lockship, language: system}}]  # lockship is here already: nothing to install
"""
LEFTHOOK = """\
pre-push:
  jobs:
  - run: lockship hook pre-push {1} {2}
    use_stdin: true
"""
BIN = Path(sys.executable).parent


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = create(tmp_path / "shop", config=CONFIG)
    repo.git("init", "--quiet", "--bare", str(tmp_path / "remote.git"))
    repo.git("remote", "add", "origin", "../remote.git")
    return repo


@pytest.mark.parametrize("framework", ["pre-commit", "prek"])
def test_pre_commit(framework: str, repo: Repo, tmp_path: Path) -> None:
    source = create(tmp_path / "lockship")
    shutil.copy(REPOSITORY / ".pre-commit-hooks.yaml", source.path)
    source.commit("The manifest")
    shell(source, f"{BIN}/{framework} validate-manifest .pre-commit-hooks.yaml")
    repo.write(".pre-commit-config.yaml", PRE_COMMIT.format(source=source.path, rev=source.head))
    repo.commit("Hooks")
    shell(repo, f"{BIN}/{framework} install -t pre-push")
    stops_a_lie(repo)


def test_lefthook(repo: Repo) -> None:
    repo.write("lefthook.yml", LEFTHOOK)
    repo.commit("Hooks")
    shell(repo, f"{BIN}/lefthook install")
    stops_a_lie(repo)


def stops_a_lie(repo: Repo) -> None:
    """A first push of all, one of another commit, and one of a lock that was edited by hand."""
    locked(repo)
    done = push(repo)
    assert done.status == 0, done.said
    change_and_lock(repo)
    done = push(repo)
    assert done.status == 0, done.said
    replaced("Ada Shipper", "Eve Shipper")(repo)
    done = push(repo)
    assert done.status != 0
    assert "source.author: it was edited by hand" in done.said + done.shown
    again = push(repo, "main:refs/heads/other")
    assert again.status != 0
