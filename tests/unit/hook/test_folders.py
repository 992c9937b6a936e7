"""Services in folders of one repository: each lock is judged by its own paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockship.prepare.prepare import prepare
from tests.unit.gitrepo import Repo
from tests.unit.hook.scenes import begin, push, shell

API = """\
[service]
name = "api"

[source]
paths = ["services/api"]

[build]
context = "services/api"

[roles.web]
hosts = ["local"]

[policy]
require-fresh = ["main"]
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository whose service in a folder is locked and pushed."""
    repo = begin(tmp_path)
    repo.write("services/api/lockship.toml", API)
    repo.write("services/api/Dockerfile", "FROM scratch\n")
    repo.commit("A second service")
    prepare(repo.path / "services/api")
    repo.commit("Lock the API")
    done = push(repo)
    assert done.status == 0, done.said
    return repo


def test_work_elsewhere_leaves_it_fresh(repo: Repo) -> None:
    repo.write("app.txt", "work on the other service\n")
    repo.commit("Work elsewhere")
    assert push(repo).status == 0


def test_a_stale_one_is_named_and_mended_from_the_root(repo: Repo) -> None:
    repo.write("services/api/app.txt", "work\n")
    repo.commit("Work on the API, and forget the lock")
    done = push(repo)
    assert done.status != 0
    assert "services/api/.shiplock" in done.ours
    assert "(cd services/api && lockship prepare)" in done.mend
    shell(repo, done.mend)
    assert push(repo).status == 0


def test_one_whose_paths_lie_is_refused(repo: Repo) -> None:
    repo.write("services/api/app.txt", "work\n")
    repo.commit("Work on the API")
    text = prepare(repo.path / "services/api").path.read_text()
    repo.write("services/api/.shiplock", text.replace('"services/api"', '"services"', 1))
    repo.commit("Claim more than was locked")
    done = push(repo)
    assert done.status != 0
    assert "edited by hand" in done.ours
    assert "source.paths" in done.ours
    shell(repo, done.mend)
    shell(repo, push(repo).mend)  # it was taken out; the policy wants a fresh one in its place
    assert push(repo).status == 0
