"""`init` and `prepare` at the door: what is on stdout, what is on stderr, and the exit status."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.harness.cli import Result, lockship_command, run_lockship
from tests.unit.cli.terminal import on_terminal


def git(repository: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", *args], cwd=repository, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository as `init` leaves it, committed."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "Dockerfile").write_text("FROM scratch\nEXPOSE 8000\n")
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "Open the shop")
    run(root, "init").expect(0)
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "Configure \u202elockship")
    return root


def run(cwd: Path, *args: str) -> Result:
    return run_lockship(args, cwd, os.environ)


def test_init_prints_the_path_and_says_what_is_next(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM busybox\n")
    git(tmp_path, "init", "--quiet")
    done = run(tmp_path, "init").expect(0)
    assert done.stdout == f"{tmp_path / 'lockship.toml'}\n"
    assert "lockship prepare" in done.stderr
    written = (tmp_path / "lockship.toml").read_bytes()
    again = run(tmp_path, "init")
    assert again.returncode in (2, 3)
    assert (tmp_path / "lockship.toml").read_bytes() == written


def test_stdout_is_the_version_and_stderr_the_summary(shop: Path) -> None:
    version = git(shop, "rev-parse", "HEAD")[:12]
    done = run(shop, "prepare").expect(0)
    assert done.stdout == f"{version}\n"
    assert f"shop {version}" in done.stderr
    assert f"source  {version} Configure" in done.stderr
    assert "\u202e" not in done.stderr
    assert "state   clean" in done.stderr
    assert "wrote .shiplock" in done.stderr
    assert "next: git add .shiplock && git commit, then lockship deploy" in done.stderr


def test_prepared_again_it_says_that_nothing_changed(shop: Path) -> None:
    first = run(shop, "prepare").expect(0)
    second = run(shop, "prepare").expect(0)
    assert second.stdout == first.stdout
    assert ".shiplock is as it was" in second.stderr


def test_from_a_folder_below_it_is_the_same_lock(shop: Path) -> None:
    (shop / "below").mkdir()
    run(shop / "below", "prepare").expect(0)
    assert (shop / ".shiplock").exists()


def test_json_is_data_and_nothing_else(shop: Path) -> None:
    done = run(shop, "prepare", "--json").expect(0)
    assert done.stderr == ""
    data = json.loads(done.stdout)
    assert set(data) == {"version", "path", "changed", "fingerprint", "differences"}
    assert data["changed"] is True
    assert data["path"] == str(shop / ".shiplock")
    assert {"field", "before", "after"} == set(data["differences"][0])
    assert json.loads(run(shop, "prepare", "--json").expect(0).stdout)["changed"] is False


def test_a_dirty_tree_is_refused_and_can_be_forced(shop: Path) -> None:
    (shop / "new\x1b[2J").write_text("new\n")
    refused = run(shop, "prepare").expect(3)
    assert refused.stdout == ""
    assert "\x1b" not in refused.stderr
    assert "--force" in refused.stderr
    forced = run(shop, "prepare", "--force").expect(0)
    assert "-dirty-" in forced.stdout
    assert "forced on a dirty tree: 1 change that no commit has" in forced.stderr
    assert "\x1b" not in forced.stderr


def test_check_shows_the_differences_and_writes_nothing(shop: Path) -> None:
    missing = run(shop, "prepare", "--check").expect(3)
    assert "+ service.name" in missing.stdout
    assert not (shop / ".shiplock").exists()
    run(shop, "prepare").expect(0)
    fresh = run(shop, "prepare", "--check").expect(0)
    assert fresh.stdout == ""
    assert ".shiplock is fresh" in fresh.stderr
    lock = (shop / ".shiplock").read_bytes()
    git(shop, "commit", "--quiet", "--allow-empty", "--message", "same content")
    (shop / "Dockerfile").write_text("FROM scratch\nEXPOSE 9000\n")
    git(shop, "commit", "--quiet", "--all", "--message", "another port")
    stale = run(shop, "prepare", "--check").expect(3)
    assert '~ source.subject: "Configure lockship" → "another port"' in stale.stdout
    data = json.loads(run(shop, "prepare", "--check", "--json").expect(3).stdout)
    assert data["fresh"] is False
    assert "source.tree" in {each["field"] for each in data["differences"]}
    assert (shop / ".shiplock").read_bytes() == lock


def test_what_changed_in_the_lock_is_shown_field_by_field(shop: Path) -> None:
    run(shop, "prepare").expect(0)
    config = (shop / "lockship.toml").read_text()
    config = re.sub(r"(?m)^\[env\]$", "", config)
    (shop / "lockship.toml").write_text(config + '\n[env]\nMODE = "fast"\n')
    git(shop, "commit", "--quiet", "--all", "--message", "Go fast")
    done = run(shop, "prepare").expect(0)
    assert '+ env.MODE = "fast"' in done.stderr
    assert "+ env.MODE" not in done.stdout


def test_a_release_is_named(shop: Path) -> None:
    done = run(shop, "prepare", "--version", "v1.0").expect(0)
    assert done.stdout == "v1.0\n"
    assert "released by name" in done.stderr


def test_outside_a_repository_the_next_step_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, "prepare")
    assert done.returncode in (2, 3)
    assert done.stderr.startswith("error: ")
    assert "bug" not in done.stderr


def test_on_a_terminal_the_summary_is_readable(shop: Path) -> None:
    status, drawn = on_terminal(lockship_command(["prepare"]), shop)
    assert status == 0
    assert "wrote .shiplock" in drawn
    assert "\u202e" not in drawn
