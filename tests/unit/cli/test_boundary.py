"""Whatever goes wrong becomes a message that says what to do, and an exit status."""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lockship import errors
from lockship.cli import boundary
from tests.harness.cli import lockship_command
from tests.unit.cli.terminal import on_terminal, python

KINDS = [
    (errors.LockshipError, 1),
    (errors.UsageError, 2),
    (errors.RefusedError, 3),
    (errors.UndoneError, 4),
    (errors.AttentionError, 5),
    (errors.InterruptedByUser, 130),
]


@pytest.mark.parametrize(("kind", "status"), KINDS)
def test_each_kind_has_its_exit_status(
    kind: type[errors.LockshipError], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    error = kind("It broke.", details=["a.py", "b.py"], hint="Mend it.")
    assert boundary.report(error, []) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: It broke.\n       a.py\n       b.py\nhint:  Mend it.\n"


def test_a_hint_says_the_command_that_was_typed(capsys: pytest.CaptureFixture[str]) -> None:
    error = errors.LockshipError("It's busy.", hint=f"wait: {errors.SAME_COMMAND} --wait; or not")
    boundary.report(error, ["maintenance", "on", "--message", "back at 5\x1b[1m"])
    said = capsys.readouterr().err
    assert (
        "hint:  wait: lockship maintenance on --message 'back at 5\\x1b[1m' --wait; or not" in said
    )


def test_foreign_text_in_an_error_is_made_visible(capsys: pytest.CaptureFixture[str]) -> None:
    error = errors.RefusedError(
        "web1: \x1b[2J", details=["\x9bfile\u202e", "two\nlines"], hint="see\x07\nhere"
    )
    boundary.report(error, [])
    assert capsys.readouterr().err.splitlines() == [
        r"error: web1: \x1b[2J",
        r"       \x9bfile\u202e",
        "       two",
        "       lines",
        r"hint:  see\x07",
        "       here",
    ]


def test_a_bug_is_one_line_and_a_log_that_only_its_owner_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert _bug(["exec", "--", "login", "hunter2"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert err.startswith("error: lockship has a bug: ZeroDivisionError: ")
    found = re.search(r"^hint:  The traceback is in (.*)$", err, re.MULTILINE)
    assert found is not None
    log = Path(found[1])
    assert log.parent == tmp_path / "state" / "lockship"
    assert "ZeroDivisionError" in log.read_text()
    assert "command: exec\n" in log.read_text()
    assert "hunter2" not in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_without_a_state_folder_the_log_is_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", "relative/is/ignored")
    assert _bug([]) == 1
    assert str(tmp_path / ".local/state/lockship/bug-") in capsys.readouterr().err


def test_a_log_that_cannot_be_written_is_no_second_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert _bug([]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "hint:  The traceback is above" in err


def _bug(argv: list[str]) -> int:
    try:
        return 1 // 0
    except ZeroDivisionError as error:
        return boundary.report(error, argv)


def test_ctrl_c_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert boundary.report(KeyboardInterrupt(), []) == 130
    assert capsys.readouterr().err == "interrupted\n"


PRINTS = """
import sys
from lockship.cli import boundary, console
try:
    while True:
        console.data("x" * 1000)
except BaseException as error:
    sys.exit(boundary.report(error, []))
"""


def test_a_reader_that_goes_away_is_no_error() -> None:
    process = subprocess.Popen(
        python(PRINTS), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(30) == boundary.EXIT_OUTPUT_CLOSED


def test_a_broken_pipe_to_a_host_is_not_taken_for_a_closed_stdout(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert boundary.report(BrokenPipeError(32, "Broken pipe"), []) == 1
    assert "BrokenPipeError" in capsys.readouterr().err


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_help_that_nobody_reads_is_no_error(
    unbuffered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        lockship_command(["--help"]), cwd=tmp_path, stdout=theirs, stderr=subprocess.PIPE
    )
    os.close(theirs)
    assert (done.returncode, done.stderr) == (boundary.EXIT_OUTPUT_CLOSED, b"")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_under_stdout_is_said(
    unbuffered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            lockship_command(["--help"]), cwd=tmp_path, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: The output can't be written: No space left on device.")


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_stream_that_is_closed_from_the_start(closed: str, tmp_path: Path) -> None:
    number = {"stdout": 1, "stderr": 2}[closed]
    words = shlex.join(lockship_command(["deply"]))
    done = subprocess.run(["sh", "-c", f"{words} {number}>&-"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 2
    assert done.stdout == b""


SHOWS = "from lockship.cli import boundary; boundary.show('It broke.', hint='Mend it.')"


def test_colour_on_a_terminal_that_wants_it(tmp_path: Path) -> None:
    _, drawn = on_terminal(python(SHOWS), tmp_path)
    assert "\x1b[1;31merror:\x1b[0m It broke." in drawn


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_it_is_not_wanted(env: dict[str, str], tmp_path: Path) -> None:
    _, drawn = on_terminal(python(SHOWS), tmp_path, env)
    assert drawn == "error: It broke.\r\nhint:  Mend it.\r\n"


def test_text_that_the_locale_cannot_print_is_printed_all_the_same(tmp_path: Path) -> None:
    program = (
        "from lockship.cli import boundary, console; console.prepare_streams();"
        "boundary.show('caf\\u00e9 \\u8239'); console.data('\\u8239')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "error: caf\\xe9 \\u8239\n"
    assert done.stdout == "\\u8239\n"
