"""Programs that run beside a deploy: in a process group of their own, all of which is ended.

Also where lockship itself is killed: a shell waits at a pipe, which closes then, and ends the
group. The kernel's own word for that (PR_SET_PDEATHSIG) is Linux's alone, and goes by threads.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

GRACE: Final = 5.0  # seconds for a program to end when it is told to
# It is told the group, then that all is well; the pipe's end in between is lockship's death.
_GUARD: Final = """\
read -r group && ! read -r _ || exit 0
kill -TERM "-$group" || exit 0
sleep "$1"
kill -KILL "-$group"
"""


@contextmanager
def running(
    argv: Sequence[str | Path], env: Mapping[str, str], cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program without input, stdout and stderr in one pipe.

    Where it still runs when the block ends, or when lockship is killed, it is ended, with all that
    is in its process group: SIGTERM, then SIGKILL. Raises OSError and ValueError as Popen does.
    """
    with _guard() as guard:
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
            _tell(guard, str(process.pid))
            yield process
        finally:
            if process.poll() is None:
                _end(process)
            _tell(guard, "over")


def _guard() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "lockship", str(GRACE)],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a terminal's signals aren't meant for it
    )


def _tell(guard: subprocess.Popen[bytes], line: str) -> None:
    assert guard.stdin is not None  # noqa: S101 - it is a pipe
    with suppress(BrokenPipeError):  # somebody ended it: then nothing is guarded
        guard.stdin.write(f"{line}\n".encode())


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
