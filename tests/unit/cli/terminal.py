"""Running a program on a real terminal (a pty), and seeing what it draws."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PATIENCE = 30.0  # seconds after which a test's program hangs


def on_terminal(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None, *, typed: str = ""
) -> tuple[int, str]:
    """Run `argv` with a terminal as stdin, stdout and stderr; return status and all it drew.

    `typed` is what a person types ahead.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        argv,
        cwd=cwd,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **(env or {})},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    drawn = b""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        ready, _, _ = select.select([ours], [], [], 1.0)
        if not ready:
            continue
        try:
            part = os.read(ours, 65536)
        except OSError:  # EIO: the other side is closed
            break
        if not part:
            break
        drawn += part
    os.close(ours)
    return process.wait(timeout=PATIENCE), drawn.decode()


def python(program: str) -> list[str]:
    return [sys.executable, "-P", "-c", program]
