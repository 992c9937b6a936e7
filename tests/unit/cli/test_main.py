"""The command line as a user meets it, each time as a process of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lockship.cli.group import COMMANDS
from lockship.lock import writer
from tests.harness.cli import Result, run_lockship
from tests.unit.locks import make_lock


def run(args: list[str], cwd: Path) -> Result:
    return run_lockship(args, cwd, os.environ)


def test_help_shows_every_command_with_its_line(tmp_path: Path) -> None:
    done = run(["--help"], tmp_path).expect(0)
    assert done.stderr == ""
    for name, line in COMMANDS.items():
        assert any(shown.split() == [name, *line.split()] for shown in done.stdout.splitlines())


def test_help_touches_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir(mode=0o555)
    run(["--help"], folder).expect(0)
    run(["deploy", "--help"], folder).expect(0)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str, tmp_path: Path) -> None:
    done = run([command, "--help"], tmp_path).expect(0)
    assert f"Usage: lockship {command}" in done.stdout
    assert COMMANDS[command] in done.stdout


def test_version(tmp_path: Path) -> None:
    assert run(["--version"], tmp_path).expect(0).stdout == "lockship 0.1.0\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["deply"], "There is no command 'deply'. Did you mean 'deploy'?"),
        (["rolback"], "There is no command 'rolback'. Did you mean 'rollback'?"),
        (["xyzzy"], "There is no command 'xyzzy'."),
        (["\x1b[2J"], r"There is no command '\x1b[2J'."),
        (["deploy", "--plam"], "No such option '--plam'. Did you mean '--plan'?"),
        (["deploy", "now"], "Got unexpected extra argument (now)"),
        (["logs", "-n", "-1"], "Invalid value for '-n' / '--tail'"),
        (["exec"], "Missing argument"),
        (["prepare", "--check", "--force"], "--check only compares"),
        ([], "Missing command."),
    ],
)
def test_unknown_words_fail(args: list[str], message: str, tmp_path: Path) -> None:
    done = run(args, tmp_path).expect(2)
    assert done.stdout == ""
    assert message in done.stderr.splitlines()[0]
    assert done.stderr.splitlines()[1].startswith("hint:  `lockship ")


@pytest.mark.parametrize("name", ["", "../up", "a/b", "UPPER", "x" * 41, ".", "\x1b"])
def test_a_destination_is_a_name(name: str, tmp_path: Path) -> None:
    done = run(["status", "-d", name], tmp_path).expect(2)
    assert "-d" in done.stderr


@pytest.mark.parametrize("command", ["build", "deploy", "rollback", "status", "logs"])
def test_without_a_lock_the_next_step_is_named(command: str, tmp_path: Path) -> None:
    done = run([command], tmp_path).expect(2)
    assert done.stderr == (
        f"error: There is no .shiplock here ({tmp_path}).\n"
        "hint:  Write one with `lockship prepare`.\n"
    )


def test_without_a_destinations_lock_the_next_step_names_it(tmp_path: Path) -> None:
    done = run(["deploy", "-d", "staging"], tmp_path).expect(2)
    assert "hint:  Write one with `lockship prepare -d staging`.\n" in done.stderr


def test_a_damaged_lock_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".shiplock").write_text("lock-version = 1\nservice = 3\n")
    done = run(["status"], tmp_path).expect(3)
    assert done.stderr.startswith("error: .shiplock is damaged.\n")


def test_a_newer_lock_is_refused_by_number(tmp_path: Path) -> None:
    (tmp_path / ".shiplock").write_text("lock-version = 2\n")
    done = run(["deploy"], tmp_path).expect(3)
    assert "lock-version 2" in done.stderr


def test_a_command_that_ends_at_once_says_only_what_it_has_to(tmp_path: Path) -> None:
    """Libraries are loaded beside connecting: the end of the process mustn't cut that off."""
    writer.write(tmp_path / ".shiplock", make_lock())
    env = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    done = run_lockship(["server", "check"], tmp_path, env).expect(1)
    assert "no Docker engine answers" in done.stdout
    assert "Traceback" not in done.stderr


def test_where_no_host_can_be_reached_nothing_is_said_to_be_as_locked(tmp_path: Path) -> None:
    writer.write(tmp_path / ".shiplock", make_lock())
    env = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    done = run_lockship(["status"], tmp_path, env).expect(3)
    assert "no host of shop could be reached" in done.stderr
    assert "as locked" not in done.stderr
