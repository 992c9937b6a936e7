"""Progress: plain lines where nobody looks, live rows on a terminal, nothing with --json."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from lockship.cli.progress import Plain, seconds
from lockship.progress import Event
from tests.unit.cli.terminal import on_terminal, python


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def plain(clock: Clock, lines: list[str]) -> Plain:
    at = datetime(2026, 1, 2, 20, 31, 7)  # noqa: DTZ001 - a wall clock's time, as it is shown
    return Plain(lines.append, clock=clock, now=lambda: at)


def test_a_step_is_one_line_with_its_time(plain: Plain, clock: Clock, lines: list[str]) -> None:
    plain(Event("start", "probe shop-web", "web1"))
    plain(Event("start", "probe shop-web", "web2"))
    clock.now += 1.2
    plain(Event("done", "probe shop-web", "web1"))
    clock.now += 20
    plain(Event("failed", "probe shop-web", "web2"))
    assert lines == [
        "20:31:07 web1  probe shop-web… done 1.2s",
        "20:31:07 web2  probe shop-web… FAILED 21s",
    ]


def test_a_step_that_takes_long_is_named_once_before_its_end(
    plain: Plain, clock: Clock, lines: list[str]
) -> None:
    plain(Event("start", "send image", "web1"))
    plain.remind()
    assert lines == []
    clock.now += 6
    plain.remind()
    plain.remind()
    clock.now += 60
    plain(Event("done", "send image", "web1"))
    assert lines == [
        "20:31:07 web1  send image… under way 6.0s",
        "20:31:07 web1  send image… done 1m06s",
    ]


def test_notes_and_lines_of_other_programs(plain: Plain, lines: list[str]) -> None:
    plain(Event("note", "the image is here already"))
    plain(Event("line", "#5 \x1b[31mRUN make\tall\r", "web1"))
    plain(Event("done", "never started", "web1"))
    assert lines == [
        "20:31:07 the image is here already",
        "20:31:07 web1  | #5 \\x1b[31mRUN make\tall\\r",
        "20:31:07 web1  never started… done 0.0s",
    ]


def test_brief_shows_only_what_takes_long_or_fails(clock: Clock, lines: list[str]) -> None:
    at = datetime(2026, 1, 2, 20, 31, 7)  # noqa: DTZ001
    plain = Plain(lines.append, brief=True, clock=clock, now=lambda: at)
    for host in ("web1", "web2", "web3"):
        plain(Event("start", "connect", host))
    plain(Event("done", "connect", "web1"))
    clock.now += 6
    plain(Event("failed", "connect", "web2"))
    plain.remind()
    plain(Event("done", "connect", "web3"))
    assert lines == [
        "20:31:07 web2  connect… FAILED 6.0s",
        "20:31:07 web3  connect… under way 6.0s",
        "20:31:07 web3  connect… done 6.0s",
    ]


@pytest.mark.parametrize(
    ("taken", "shown"),
    [(0, "0.0s"), (1.25, "1.2s"), (9.96, "10s"), (59.4, "59s"), (59.6, "1m00s"), (125, "2m05s")],
)
def test_durations(taken: float, shown: str) -> None:
    assert seconds(taken) == shown


WORK = """
import sys, threading
from lockship.cli import console, progress
from lockship.progress import Event
with progress.shown(quietly="--json" in sys.argv) as report:
    def one(host):
        report(Event("start", "probe [bold]shop[/]", host))
        report(Event("line", "half \\x1b[2Jdone", host))
        report(Event("done", "probe [bold]shop[/]", host))
    threads = [threading.Thread(target=one, args=(f"web{n}",)) for n in (1, 2)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    report(Event("start", "tidy", "web1"))
    report(Event("failed", "tidy", "web1"))
console.data("the data")
"""


def test_without_a_terminal_stdout_is_data_and_stderr_plain_lines(tmp_path: Path) -> None:
    done = subprocess.run(python(WORK), cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "the data\n"
    assert "\x1b" not in done.stderr
    assert "web2  probe [bold]shop[/]… done" in done.stderr
    assert r"web1  | half \x1b[2Jdone" in done.stderr
    assert "web1  tidy… FAILED" in done.stderr


def test_json_is_quiet(tmp_path: Path) -> None:
    done = subprocess.run([*python(WORK), "--json"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("the data\n", "")


def test_a_terminal_gets_live_rows_and_a_line_for_each_end(tmp_path: Path) -> None:
    status, drawn = on_terminal(python(WORK), tmp_path)
    assert status == 0
    assert "\x1b[?25l" in drawn  # the cursor is hidden while rows are redrawn
    assert "\x1b[?25h" in drawn  # and shown again
    assert "\x1b[2J" not in drawn  # what the host wrote
    assert "✓" in drawn
    assert "✗" in drawn
    assert "[bold]shop[/]" in drawn  # foreign text is no markup


def test_no_color_is_live_without_colour(tmp_path: Path) -> None:
    _, drawn = on_terminal(python(WORK), tmp_path, {"NO_COLOR": "1"})
    assert "\x1b[?25l" in drawn
    assert "\x1b[32m" not in drawn
    assert "\x1b[1;31m" not in drawn


def test_a_dumb_terminal_gets_plain_lines(tmp_path: Path) -> None:
    _, drawn = on_terminal(python(WORK), tmp_path, {"TERM": "dumb"})
    assert "\x1b" not in drawn
    assert "web1  tidy… FAILED" in drawn


def test_work_goes_on_when_nobody_reads_the_progress(tmp_path: Path) -> None:
    program = WORK.replace('console.data("the data")', 'open("ended", "w").close()')
    process = subprocess.Popen(python(program), cwd=tmp_path, stderr=subprocess.PIPE)
    assert process.stderr is not None
    process.stderr.close()
    process.wait(30)
    assert (tmp_path / "ended").exists()
