"""One signal stops cleanly, the second one ends at once; both are 130."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.terminal import on_terminal, python

STOPS = """
import sys
from lockship.cli import signals
with signals.stopping(first="stopping", second="stopped at once") as stop:
    print("ready", flush=True)
    stop.wait(30)
    print("undone" if stop.is_set() else "hangs", flush=True)
sys.exit(130)
"""
HANGS = """
import subprocess, threading, time
from lockship.cli import signals
child = subprocess.Popen(["sleep", "60"])
with signals.stopping(first="stopping", second="stopped at once") as stop:
    print("ready", child.pid, flush=True)
    while True:
        time.sleep(1)
"""
HANGS_IN_A_HOOK = """
import os, threading, time
from lockship.cli import signals
from lockship.programs import running
with (
    signals.stopping(first="stopping", second="stopped at once"),
    running(["sh", "-c", "sleep 60 & echo $!; wait"], os.environ) as hook,
):
    print("ready", hook.stdout.readline().decode(), end="", flush=True)
    time.sleep(60)
"""
WORKS = """
import sys, time
from lockship.cli import boundary, signals
try:
    with signals.ending_by_exception():
        try:
            print("ready", flush=True)
            time.sleep(30)
        finally:
            print("tidied", flush=True)
except BaseException as error:
    sys.exit(boundary.report(error, []))
"""


def start(program: str, cwd: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        python(program), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_asks_to_stop(number: signal.Signals, tmp_path: Path) -> None:
    process, _ = start(STOPS, tmp_path)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "undone\n", "stopping\n")


@pytest.mark.parametrize("program", [HANGS, HANGS_IN_A_HOOK], ids=["child", "hook's child"])
def test_the_second_signal_ends_at_once_and_takes_children_along(
    program: str, tmp_path: Path
) -> None:
    process, ready = start(program, tmp_path)
    child = int(ready.split()[1])
    assert process.stderr is not None
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline() == "stopping\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "stopped at once\n")
    assert gone(child)


KILLED_WHILE_LIVE = """
import os, signal
from lockship.cli import progress, signals
from lockship.progress import Event
with signals.stopping(first="stopping", second="stopped at once"), progress.shown() as report:
    report(Event("start", "probe", "web1"))
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
"""


def test_a_live_terminal_gets_its_cursor_back(tmp_path: Path) -> None:
    status, drawn = on_terminal(python(KILLED_WHILE_LIVE), tmp_path)
    assert status == 130
    assert "stopped at once" in drawn
    assert drawn.rfind("\x1b[?25h") > drawn.rfind("\x1b[?25l")


def gone(pid: int) -> bool:
    """Wait for a process that isn't ours to end, by its descriptor."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        import select

        return bool(select.select([descriptor], [], [], 30)[0])
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_elsewhere_a_signal_ends_what_is_under_way_tidily(
    number: signal.Signals, tmp_path: Path
) -> None:
    process, _ = start(WORKS, tmp_path)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "tidied\n", "interrupted\n")


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """`nohup lockship deploy` goes on when its terminal is closed."""
    ignoring = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    process, _ = start(ignoring + STOPS, tmp_path)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert (out, err) == ("undone\n", "stopping\n")


def test_handlers_are_put_back() -> None:
    program = (
        "import signal\nfrom lockship.cli import signals\n"
        "before = signal.getsignal(signal.SIGINT)\n"
        "with signals.ending_by_exception():\n"
        "    with signals.stopping():\n        pass\n"
        "assert signal.getsignal(signal.SIGINT) is before\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
