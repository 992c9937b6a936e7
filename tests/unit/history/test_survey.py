"""The walk over a whole history finds what `git log` does, and ends with its processes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lockship.errors import LockshipError
from lockship.git import Repository
from lockship.history.survey import Survey
from lockship.history.walk import ROOT, changes
from tests.unit.gitrepo import Repo, create

MESSAGE = "Deploy it\n\nLockship-Fingerprint: sha256:00"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return create(tmp_path / "shop")


def surveyed(repo: Repo, folders: tuple[bytes, ...] | None, *revisions: str) -> Survey:
    repository = Repository.discover(repo.path)
    survey = Survey(repository, revisions, folders)
    found = list(survey.changes())
    # In whatever order: all have one date.
    assert {(each.commit.id, each.path): each for each in found} == {
        (each.commit.id, each.path): each
        for each in changes(repository, revisions, folders=folders)
    }
    return survey


def test_it_finds_what_git_log_finds(repo: Repo) -> None:
    for folder in ("", "sub/", "sub/deep *[x]/"):
        for name in (".shiplock", ".shiplock.eu", ".shiplocker", "other"):
            repo.write(f"{folder}{name}", f"{folder}{name}\n")
            repo.commit(f"add {name}")
    repo.git("rm", "--quiet", ".shiplock.eu")
    marked = repo.commit(MESSAGE)
    repo.git("switch", "--quiet", "--create", "side", "HEAD~5")
    repo.write(".shiplock", "side\n")
    repo.commit("side")
    repo.git("switch", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-commit", "side")
    repo.write(".shiplock", "both\n")
    repo.commit("a merge with a lock of its own")
    repo.git("commit", "--quiet", "--allow-empty", "--cleanup=verbatim", "--allow-empty-message",
             "--message", "")  # fmt: skip
    for folders in (ROOT, (b"", b"sub"), (b"sub/deep *[x]",), None):
        survey = surveyed(repo, folders, repo.head)
        assert survey.records == [marked]
        surveyed(repo, folders, repo.head, f"^{marked}")
    assert list(Survey(Repository.discover(repo.path), (), None).changes()) == []


def test_a_commit_that_came_before_its_child_is_noticed(repo: Repo) -> None:
    """Two ways to a commit that is dated after one of its children."""
    late = repo.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "late",
                    GIT_COMMITTER_DATE="1900000000 +0000")  # fmt: skip
    early = repo.git("commit-tree", "HEAD^{tree}", "-p", late, "-m", "early",
                     GIT_COMMITTER_DATE="1600000000 +0000")  # fmt: skip
    merge = repo.git("commit-tree", "HEAD^{tree}", "-p", early, "-p", late, "-m", "merge",
                     GIT_COMMITTER_DATE="1950000000 +0000")  # fmt: skip
    survey = Survey(Repository.discover(repo.path), (merge,), ROOT)
    assert list(survey.changes()) == []
    assert not survey.in_order


def test_it_ends_where_nobody_reads_on(repo: Repo) -> None:
    """More than fits into any pipe is to come; neither process waits for it for ever."""
    stream = ["blob\nmark :1\ndata 1\na\n", "blob\nmark :2\ndata 1\nb\n"]
    for number in range(4000):
        stream.append(
            f"commit refs/heads/many\ncommitter A <a@x.org> {1_700_000_000 + number} +0000\n"
            f"data 1000\n{number:<1000}\nM 100644 :{1 + number % 2} .shiplock\n"
        )
    file = repo.path.parent / "stream"
    file.write_text("".join(stream))
    with file.open("rb") as asked:
        words = ["git", "fast-import", "--quiet"]
        subprocess.run(words, cwd=repo.path, stdin=asked, check=True)
    found = Survey(Repository.discover(repo.path), (repo.git("rev-parse", "many"),), ROOT)
    reading = found.changes()
    assert next(reading).commit.subject == "3999"
    reading.close()
    assert len(list(found.changes())) == 4000
    assert found.in_order


def test_damage_is_said(repo: Repo) -> None:
    repo.write(".shiplock", "one\n")
    repo.commit("one")
    tree = repo.git("rev-parse", "HEAD^{tree}")
    (repo.path / ".git/objects" / tree[:2] / tree[2:]).unlink()
    repository = Repository.discover(repo.path)
    with pytest.raises(LockshipError, match="diff-tree"):
        list(Survey(repository, (repo.head,), ROOT).changes())
    with pytest.raises(LockshipError, match="log"):
        list(Survey(repository, ("1" * 40,), ROOT).changes())
