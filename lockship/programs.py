"""Programs that run beside a deploy: in a process group of their own, all of which is ended."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

GRACE: Final = 5.0  # seconds for a program to end when it is told to


@contextmanager
def running(
    argv: Sequence[str | Path], env: Mapping[str, str], cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program without input, stdout and stderr in one pipe.

    Where it still runs when the block ends, it is ended, with all that is in its process group:
    SIGTERM, then SIGKILL. Raises OSError and ValueError as Popen does.
    """
    process = subprocess.Popen(
        argv,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            _end(process)


def ended(status: int) -> str:
    """Say how a program ended."""
    return f"ended with exit status {status}" if status > 0 else f"was ended by signal {-status}"


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        with suppress(subprocess.TimeoutExpired, ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(GRACE)
    finally:  # an impatient person's next Ctrl-C too
        with suppress(ProcessLookupError):  # it, or children that don't end with it
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
