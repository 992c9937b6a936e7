"""A lockfile is committed alone: nothing else of a person's repository changes, or none is made."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from lockship.errors import LockshipError
from lockship.history.commit import IndexKept, commit_alone, place_for
from tests.unit.gitrepo import Repo, create

MESSAGE = "Deploy shop 1\n\nLockship-Outcome: deployed\n"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    made = create(tmp_path / "shop")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Jo Deployer")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "jo@example.com")
    made.write(".shiplock", "one\n")
    made.commit("a lock")
    return made


def commit(repo: Repo, text: str = "two\n", path: str = ".shiplock") -> str | None:
    file = repo.write(path, text)
    return commit_alone(place_for(file), file.read_bytes(), MESSAGE)


def person(repo: Repo) -> Mapping[str, object]:
    """What is a person's: every file, and every entry of the index but lockfiles."""
    staged = repo.git("ls-files", "--stage").splitlines()
    status = repo.git("status", "--porcelain=v2", "--untracked-files=all").splitlines()
    other = [line for line in (*staged, *status) if ".shiplock" not in line]
    return {"index": other, "files": repo.state()["files"], "stash": repo.git("stash", "list")}


def test_only_the_lockfile_is_committed(repo: Repo) -> None:
    repo.write("staged.txt", "new\n")
    repo.write("Dockerfile", "FROM busybox\n")
    repo.git("rm", "--quiet", "--cached", "app.txt")
    repo.git("add", "staged.txt", "Dockerfile")
    repo.write("Dockerfile", "FROM scratch\n# half-staged\n")
    repo.write("later.txt", "intent\n")
    repo.git("add", "--intent-to-add", "later.txt")
    repo.write(".shiplock", "staged, and not deployed\n")
    repo.git("add", ".shiplock")
    parent, tree, before = repo.head, repo.git("rev-parse", "HEAD^{tree}"), person(repo)
    made = commit(repo)
    assert made == repo.head
    assert repo.git("rev-parse", "HEAD^") == parent
    assert repo.git("diff", "--name-status", tree, "HEAD") == "M\t.shiplock"
    assert person(repo) == before
    assert repo.git("status", "--porcelain", ".shiplock") == ""
    assert repo.git("log", "-1", "--format=%an %ce|%B") == f"Jo Deployer jo@example.com|{MESSAGE}"
    assert repo.git("reflog", "-1", "--format=%gs") == "lockship: Deploy shop 1"
    assert commit(repo) is None  # HEAD has it
    repo.git("fsck", "--strict")


def test_a_first_lockfile_one_in_a_folder_and_one_that_is_executable(repo: Repo) -> None:
    repo.write("a/z.txt", "z\n")
    repo.write("a-b/x", "x\n")
    repo.commit("folders")
    assert commit(repo, path=".shiplock.eu")
    assert commit(repo, path="a/b/.shiplock")
    repo.git("update-index", "--chmod=+x", "a/b/.shiplock")
    repo.git("commit", "--quiet", "--message", "executable")
    assert commit(repo, "three\n", path="a/b/.shiplock")
    listed = repo.git("ls-tree", "-r", "HEAD").splitlines()
    assert [line.split()[0] for line in listed if "a/b/" in line] == ["100755"]
    assert repo.git("show", "--name-only", "--format=", "HEAD") == "a/b/.shiplock"
    assert len(listed) == 8
    repo.git("fsck", "--strict")


def test_line_endings_are_as_git_add_has_them(repo: Repo) -> None:
    repo.write(".gitattributes", ".shiplock text eol=crlf\n")
    repo.commit("attributes")
    commit(repo, "three\r\n")
    assert repo.git("show", "HEAD:.shiplock") == "three"
    assert repo.git("status", "--porcelain") == ""


def test_hooks_do_not_run(repo: Repo) -> None:
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction"):
        repo.write(f".git/hooks/{name}", "#!/bin/sh\ntouch ran\nexit 1\n", executable=True)
    assert commit(repo)
    assert not (repo.path / "ran").exists()


def test_where_none_can_be_made(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = repo.path / ".shiplock"
    repo.git("switch", "--quiet", "--create", "side")
    repo.write("app.txt", "side\n")
    repo.commit("side")
    repo.git("switch", "--quiet", "main")
    repo.write("app.txt", "main\n")
    repo.commit("main")
    repo.git("merge", "side", ok=False)
    with pytest.raises(LockshipError, match="in the middle of a merge") as refused:
        place_for(lock)
    assert (refused.value.exit_status, "--no-commit" in refused.value.hint) == (3, True)
    repo.git("merge", "--abort")
    repo.git("rebase", "side", ok=False)
    with pytest.raises(LockshipError, match="in the middle of a rebase"):
        place_for(lock)
    repo.git("rebase", "--abort")
    for name in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    repo.git("config", "user.useConfigOnly", "true")
    with pytest.raises(LockshipError, match="doesn't know who commits") as nobody:
        place_for(lock)
    assert "git config user.name" in nobody.value.hint
    repo.git("config", "user.email", "jo@example.com")
    repo.git("switch", "--quiet", "--orphan", "new")
    with pytest.raises(LockshipError, match="no commit on this branch yet"):
        place_for(lock)


def test_a_head_that_moves(repo: Repo) -> None:
    place = place_for(repo.path / ".shiplock")
    repo.write("app.txt", "meanwhile\n")
    between = repo.commit("meanwhile")
    made = commit_alone(place, b"two\n", MESSAGE)
    assert (repo.head, repo.git("rev-parse", "HEAD^")) == (made, between)
    assert repo.git("show", "HEAD:app.txt") == "meanwhile"
    repo.git("switch", "--quiet", "--create", "other")
    with pytest.raises(LockshipError, match=r"was on main when .* is on other now"):
        commit_alone(place, b"three\n", MESSAGE)
    # Detached, in a linked worktree: a commit that no branch has, and that is the worktree's own.
    linked = Repo(repo.path.parent / "linked")
    repo.git("worktree", "add", "--quiet", "--detach", str(linked.path), "main")
    assert commit(linked, "four\n") == linked.head
    assert place_for(linked.path / ".shiplock").branch is None
    assert repo.git("rev-parse", "main") == made


def test_a_branch_or_an_index_that_somebody_holds(repo: Repo) -> None:
    held = repo.write(".git/refs/heads/main.lock", "")
    before = repo.head
    with pytest.raises(LockshipError, match="couldn't be moved") as error:
        commit(repo)
    assert "main.lock" in "\n".join(error.value.details)
    held.unlink()
    assert repo.head == before
    # As when it is killed there: what is staged is the lockfile, never HEAD's undoing of it.
    assert repo.git("status", "--porcelain") == "M  .shiplock"
    held = repo.write(".git/index.lock", "")
    with pytest.raises(IndexKept) as kept:
        commit(repo)
    held.unlink()
    assert kept.value.commit == repo.head != before
    assert "git add .shiplock" in kept.value.hint
    repo.git("add", ".shiplock")
    assert repo.git("status", "--porcelain") == ""


def test_a_signed_commit_and_a_key_that_is_gone(repo: Repo, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"jo@example.com {key.with_suffix('.pub').read_text()}")
    for name, value in (
        ("commit.gpgSign", "true"),
        ("gpg.format", "ssh"),
        ("user.signingKey", str(key)),
        ("gpg.ssh.allowedSignersFile", str(allowed)),
    ):
        repo.git("config", name, value)
    made = commit(repo)
    assert repo.git("log", "-1", "--format=%G? %GS") == "G jo@example.com"
    key.unlink()
    with pytest.raises(LockshipError, match="couldn't sign this one") as error:
        commit(repo, "three\n")
    assert error.value.details
    assert repo.head == made
    assert repo.git("status", "--porcelain") == " M .shiplock"
    repo.git("config", "gpg.format", "openpgp")
    repo.git("config", "gpg.program", "/no/such/gpg")
    with pytest.raises(LockshipError, match="couldn't sign this one"):
        commit(repo, "three\n")


def test_an_outer_git_commands_index_is_left_alone(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from a hook or an alias, where git says which index and folder are its own."""
    other = tmp_path / "other-index"
    monkeypatch.setenv("GIT_INDEX_FILE", str(other))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    file = repo.write(".shiplock", "two\n")
    made = commit_alone(place_for(file), b"two\n", MESSAGE)
    assert made
    assert not other.exists()
    for name in ("GIT_INDEX_FILE", "GIT_DIR"):
        monkeypatch.delenv(name)
    assert "GIT_DIR" not in os.environ
    assert repo.head == made


def test_outside_of_a_repository_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(LockshipError, match="not a git repository"):
        place_for(tmp_path / ".shiplock")
