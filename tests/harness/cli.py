"""Running lockship as a user does: a process of its own, seen only by what it prints and does."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness.shell import HarnessError


@dataclass(frozen=True)
class Result:
    args: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    seconds: float

    def __str__(self) -> str:
        """What a failed assertion should show."""
        return (
            f"lockship {' '.join(self.args)}: exit {self.returncode} after {self.seconds:.1f} s\n"
            f"--- stdout\n{self.stdout}--- stderr\n{self.stderr}"
        )

    def expect(self, returncode: int = 0) -> "Result":
        """Itself, if that was the exit status; else an AssertionError that shows everything."""
        assert self.returncode == returncode, f"expected exit {returncode}\n{self}"
        return self


def lockship_command(args: Sequence[str]) -> list[str]:
    """The argument list that runs this checkout's lockship, for tests that start it themselves."""
    # -P as for an installed script: a module in the user's repository must not shadow ours.
    return [sys.executable, "-P", "-m", "lockship", *args]


def run_lockship(
    args: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    *,
    stdin: str | None = None,
    timeout: float = 120,
) -> Result:
    """Run `lockship ARGS` to its end, with exactly this environment (see `Fleet.env`)."""
    begin = time.monotonic()
    try:
        done = subprocess.run(
            lockship_command(args),
            cwd=cwd,
            env=dict(env),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        shown = "".join(
            part.decode(errors="replace") for part in (error.stdout, error.stderr) if part
        )
        raise HarnessError(
            f"lockship {' '.join(args)} didn't end within {timeout:g} s:\n{shown}"
        ) from None
    return Result(tuple(args), done.returncode, done.stdout, done.stderr, time.monotonic() - begin)
