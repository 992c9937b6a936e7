"""The hook in its place: beside other hooks, in worktrees, and where it isn't ours to write."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lockship.errors import RefusedError
from lockship.git import Repository
from lockship.hook import install
from tests.unit.gitrepo import Repo, create
from tests.unit.hook.scenes import environment

HOOKS = ".git/hooks"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = create(tmp_path / "shop")
    shutil.rmtree(repo.path / HOOKS, ignore_errors=True)
    repo.git("init", "--quiet", "--bare", str(tmp_path / "remote.git"))
    repo.git("remote", "add", "origin", "../remote.git")
    return repo


def put(repo: Repo) -> install.State:
    return install.install(Repository.discover(repo.path), sys.executable)


def take(repo: Repo) -> install.State:
    return install.uninstall(Repository.discover(repo.path), sys.executable)


def seen(repo: Repo) -> str:
    return install.status(Repository.discover(repo.path), sys.executable).state


def push(repo: Repo, **env: str) -> subprocess.CompletedProcess[str]:
    argv = ["git", "push", "origin", "HEAD:refs/heads/pushed"]
    env = {**environment(), **env}
    return subprocess.run(argv, cwd=repo.path, env=env, capture_output=True, text=True)


def test_put_and_taken_away_again(repo: Repo) -> None:
    assert seen(repo) == "absent"
    for _ in range(2):
        assert put(repo).state == "installed"
        assert [each.name for each in (repo.path / HOOKS).iterdir()] == ["pre-push"]
    for _ in range(2):
        assert take(repo).state == "absent"
        assert list((repo.path / HOOKS).iterdir()) == []


def test_a_hook_that_was_there_goes_first_and_comes_back(repo: Repo) -> None:
    own = '#!/bin/sh\ncat >seen-input\necho "$@" >seen-words\nexit $(cat verdict)\n'
    hook = repo.write(f"{HOOKS}/pre-push", own, executable=True)
    hook.chmod(0o751)
    assert seen(repo) == "foreign"
    assert put(repo).kept == repo.path / HOOKS / "pre-push.before-lockship"
    assert put(repo).state == "installed"

    repo.write("verdict", "7")
    assert push(repo).returncode != 0
    repo.write("verdict", "0")
    assert push(repo).returncode == 0
    assert (repo.path / "seen-words").read_text() == "origin ../remote.git\n"
    line = f"HEAD {repo.head} refs/heads/pushed {'0' * 40}\n"
    assert (repo.path / "seen-input").read_text() == line

    assert take(repo).state == "foreign"
    assert (hook.read_text(), hook.stat().st_mode & 0o777) == (own, 0o751)
    assert [each.name for each in (repo.path / HOOKS).iterdir()] == ["pre-push"]


def test_a_hook_that_came_later_is_not_lost(repo: Repo) -> None:
    repo.write(f"{HOOKS}/pre-push", "#!/bin/sh\n", executable=True)
    put(repo)
    (repo.path / HOOKS / "pre-push").unlink()
    later = repo.write(f"{HOOKS}/pre-push", "#!/bin/sh\nexit 1\n", executable=True)
    with pytest.raises(RefusedError, match="came to"):
        put(repo)
    assert later.read_text() == "#!/bin/sh\nexit 1\n"


def test_an_older_script_is_replaced(repo: Repo) -> None:
    hook = put(repo).path
    hook.write_text(hook.read_text() + "# of another version\n")
    assert seen(repo) == "outdated"
    assert put(repo).state == "installed"


def test_a_linked_worktree_has_the_same_hook(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    linked = Repo(tmp_path / "linked")
    assert put(linked).path == repo.path / HOOKS / "pre-push"
    assert seen(repo) == "installed"
    assert push(linked).returncode == 0


def test_hooks_elsewhere(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "core.hooksPath", str(tmp_path / "hooks"))
    assert put(repo).path == tmp_path / "hooks/pre-push"
    assert not (repo.path / HOOKS).exists()
    assert push(repo).returncode == 0


def test_hooks_of_all_repositories_are_left_alone(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "--global", "core.hooksPath", str(tmp_path / "hooks"))
    with pytest.raises(RefusedError, match="shared by all"):
        put(repo)
    assert not (tmp_path / "hooks").exists()


@pytest.mark.parametrize("folder", [".husky/_", ".githooks"])
def test_hooks_that_are_the_repositorys_files(repo: Repo, folder: str) -> None:
    repo.git("config", "core.hooksPath", folder)
    theirs = repo.path / folder.removesuffix("/_") / "pre-push"
    if folder == ".husky/_":  # what husky 9 writes comes to this
        run = '#!/bin/sh\nsh -e "$(dirname "$(dirname "$0")")/pre-push" "$@"\n'
        repo.write(".husky/_/pre-push", run, executable=True)
    repo.write(theirs.relative_to(repo.path).as_posix(), "#!/bin/sh\n", executable=True)
    with pytest.raises(RefusedError) as refused:
        put(repo)
    path, line = refused.value.hint.split(" yourself: ")
    assert path == f"Add this line to {theirs}"
    with theirs.open("a") as file:
        file.write(line.strip("`") + "\n")
    assert (seen(repo), put(repo).state) == ("called", "called")
    repo.write(".shiplock", "not a lock\n")
    repo.commit("lock")
    done = push(repo)
    assert done.returncode != 0
    assert "Refused: 1 thing" in done.stderr


def test_without_lockship_nothing_is_pushed(repo: Repo) -> None:
    hook = put(repo).path
    text = hook.read_text()
    hook.write_text(text.replace(sys.executable, "/nowhere/python"))
    done = push(repo, PATH=os.defpath)
    assert done.returncode != 0
    assert "lockship isn't here" in done.stderr
    hook.write_text(text)  # the Python that installed it is found without PATH
    assert push(repo, PATH=os.defpath).returncode == 0
