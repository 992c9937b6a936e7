"""Run the docker client: its progress live on a terminal, as lines elsewhere."""

from __future__ import annotations

import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from lockship.build.output import failing_step
from lockship.errors import LockshipError
from lockship.progress import Event, Report

_GRACE: Final = 10.0  # seconds for the client to stop its build after an interruption
_FOREIGN: Final = "exec format error"  # the kernel's, of a program for another machine
_EMULATION: Final = (
    "A step runs a program of another platform than this engine's. Give the engine emulation"
    " (Debian: qemu-user-static), let that step run in a stage FROM --platform=$BUILDPLATFORM, or"
    " build on a [build] host of that platform."
)
_KEPT_LINES: Final = 5000  # of the output, for the failing step's; a longer one loses its beginning


def run_build(argv: Sequence[str], env: Mapping[str, str], *, report: Report, tty: bool) -> None:
    """Run a build to its end.

    On a terminal the client draws on stderr itself. Elsewhere each line of its output is reported.
    Raises LockshipError whose details are the failing step's output, where the client hasn't
    already shown it as the last thing.
    """
    pipe = None if tty else subprocess.PIPE
    kept: deque[str] = deque(maxlen=_KEPT_LINES)
    process = subprocess.Popen(
        list(argv),
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if tty else subprocess.PIPE,
        stderr=None if tty else subprocess.STDOUT,
    )
    try:
        if pipe is not None and process.stdout is not None:
            for raw in process.stdout:
                line = raw.decode(errors="replace").rstrip("\n")
                kept.append(line)
                report(Event("line", line))
        status = process.wait()
    except BaseException:
        # Ctrl-C reaches the client too when it is typed; a signal to lockship alone doesn't.
        _end(process)
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()
    if status:
        raise LockshipError(
            "The image can't be built: a step failed."
            if not tty
            else "The image can't be built: the step shown above failed.",
            details=failing_step(kept),
            hint=_EMULATION if any(_FOREIGN in line for line in kept) else "",
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
