"""A repository made to harm whoever pushes from it: nothing runs, hangs or reaches the terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.gitrepo import Repo
from tests.unit.hook.scenes import LOCK, begin, push
from tests.unit.hook.scenes import lockship as run

TRICKS = "\x1b]0;owned\x07\x1b[2J$(touch owned)`touch owned`';touch owned;'\u202e::error::<b>"
OBEYED = set("\x1b\x07\u202e\r")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return begin(tmp_path)


def refused(repo: Repo, *words: str) -> str:
    """Push; it is refused in time, by us, in plain text, and nothing ran."""
    done = push(repo, *words)
    assert done.status != 0
    assert "Refused:" in done.ours, done.said
    assert not set(done.ours) & OBEYED
    assert len(done.ours.splitlines()) <= 10
    assert not list(repo.path.rglob("owned")) and not list(repo.path.parent.glob("owned"))
    return done.ours


def test_names_and_subjects(repo: Repo) -> None:
    branch = "x;$(touch\u2028owned)`touch${IFS}owned`'\u202e"
    repo.git("switch", "--quiet", "--create", branch)
    folder = f'a{TRICKS}\n\t"b'
    repo.write(f"{folder}/{LOCK}", "no lock\n")
    for _ in range(10):
        with (repo.path / folder / LOCK).open("a") as file:
            file.write("more\n")
        repo.commit(f"Merge {TRICKS}{'long ' * 100}")
    assert "\\x1b" in refused(repo, branch)
    for style in ("github", "gitlab", "text"):
        shown = run(repo, "hook", "verify", "origin/main..HEAD", "--format", style, ok=(3,))
        assert not set(shown) & OBEYED
        if style == "github":
            assert all(line.startswith("::error file=a") for line in shown.splitlines())
        if style == "gitlab":
            assert len({each["fingerprint"] for each in json.loads(shown)}) == 10


def test_locks_that_are_bombs(repo: Repo) -> None:
    text = (repo.path / LOCK).read_text()
    values = json.dumps(TRICKS).replace("\\u202e", "\u202e")
    bombs = (
        b"x = {" + b"a." * 500_000 + b"a = 1}",
        b'"a".' * 250_000 + b"a = 1",
        b"x = " + b"[" * 1_000_000,
        b"lock-version = 1" + b"0" * 4000,
        b"\0" * 1_000_000,
        b"# " + b"\xf0" * 100_000,
        (text + f"\n[{values}]\n{values} = {values}\n").encode(),
        text.replace('subject = "first"', f"subject = {values}").encode(),
    )
    for number, data in enumerate(bombs):
        repo.write(f"{number}/{LOCK}", data)
    with (repo.path / LOCK).open("wb") as file:
        file.truncate(100 << 20)
    repo.commit("Bombs")
    assert f"Refused: {len(bombs) + 1} things" in refused(repo)
    said = json.loads(run(repo, "hook", "verify", "origin/main..HEAD", "--json", ok=(3,)))
    assert any("more than 1048576" in each["what"] for each in said["objections"])


def test_a_folder_and_a_submodule(repo: Repo) -> None:
    (repo.path / LOCK).unlink()
    repo.write(f"{LOCK}/pre-push", "#!/bin/sh\ntouch owned\n", executable=True)
    repo.commit("A folder")
    assert push(repo, "HEAD:refs/heads/folder").status == 0  # the lock is gone, that is all
    repo.git("rm", "--quiet", "-r", LOCK)
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head},{LOCK}")
    repo.git("commit", "--quiet", "--message", "A submodule")
    assert "it is a submodule" in refused(repo)


def test_settings_and_attributes_run_nothing(repo: Repo) -> None:
    repo.write(".gitattributes", "* diff=x filter=x\n")
    repo.write(LOCK, "no lock\n")
    repo.commit("Attributes")
    for key in (
        "diff.external",
        "core.pager",
        "core.fsmonitor",
        "diff.x.textconv",
        "filter.x.clean",
    ):
        repo.git("config", key, "touch owned")
    refused(repo)


def test_what_git_never_says(repo: Repo) -> None:
    for text in ("x\n", "a b c\n", f"main {repo.head} refs/heads/main --all\n"):
        words = [sys.executable, "-P", "-m", "lockship", "hook", "pre-push", "origin", "url"]
        done = subprocess.run(words, cwd=repo.path, input=text.encode(), capture_output=True)
        assert done.returncode == 2, done.stderr
    run(repo, "hook", "verify", "--", "--all", ok=(2,))
    run(repo, "hook", "verify", "nonsense..HEAD", ok=(2,))


def test_a_damaged_repository_is_no_refusal(repo: Repo) -> None:
    repo.write(LOCK, "no lock\n")
    repo.commit("x")
    blob = repo.git("rev-parse", f"HEAD:{LOCK}")
    (repo.path / f".git/objects/{blob[:2]}/{blob[2:]}").unlink()
    run(repo, "hook", "verify", "origin/main..HEAD", ok=(1,))
    assert "is not in this repository" in push(repo).ours
