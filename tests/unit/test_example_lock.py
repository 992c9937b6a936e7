"""`.shiplock.example` is what `prepare` writes for an example, byte for byte."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.harness import run_lockship
from tests.unit.locks import git, leave_pins

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / ".shiplock.example"
FIXED = {
    "GIT_AUTHOR_NAME": "Ada Shipper",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+01:00",
    "GIT_COMMITTER_NAME": "Ada Shipper",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05+01:00",
}


def test_it_is_what_prepare_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in FIXED.items():
        monkeypatch.setenv(name, value)
    repository = tmp_path / "guestbook"
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
    shutil.copytree(REPOSITORY / "examples/guestbook", repository, ignore=ignored)
    for path in repository.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "Sign the guestbook")

    leave_pins(repository)
    run_lockship(["prepare"], repository, os.environ).expect(0)

    written = (repository / ".shiplock").read_bytes()
    assert written == EXAMPLE.read_bytes(), f"cp {repository}/.shiplock {EXAMPLE}"
