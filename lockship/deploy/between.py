"""What happens between two batches of a switch: a pause, a check of the user's own, or both."""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

from lockship.deploy.batches import Batch
from lockship.errors import LockshipError
from lockship.lock.model import Lock
from lockship.programs import GRACE, ended, running
from lockship.progress import Event, Report

_LIMIT: Final = 300.0  # seconds for a check, where the lock doesn't say
_POLL: Final = 0.1  # seconds between two looks at whether to go on
_LONGEST: Final = 1 << 16  # bytes of a line; a longer one comes in several


class CheckFailed(LockshipError):  # noqa: N818 - a verdict on the batch
    """The check after a batch didn't approve of it, or couldn't be run."""


@dataclass(frozen=True, slots=True)
class Between:
    """The time after batch `number`, counted from 1, of `batches`.

    `stop` set ends it; `held` raises where the mutex is lost meanwhile.
    """

    lock: Lock
    number: int
    batches: Sequence[Batch]
    stop: threading.Event
    held: Callable[[], None]
    report: Report

    def wait(self) -> None:
        """Wait as the lock says, then run its check. Raises CheckFailed, and what `held` does.

        Returns early where `stop` is set: the caller looks at it.
        """
        deploy = self.lock.deploy
        if deploy.batch_pause is not None:
            self._during(f"pause after batch {self.number}", lambda: self._pause())
        if deploy.batch_check and not self.stop.is_set():
            self._during(f"check after batch {self.number}", lambda: self._check())

    def _during(self, what: str, do: Callable[[], None]) -> None:
        self.report(Event("start", what))
        try:
            do()
        except LockshipError:
            self.report(Event("failed", what))
            raise
        self.report(Event("stopped" if self.stop.is_set() else "done", what))

    def _pause(self) -> None:
        end = time.monotonic() + (self.lock.deploy.batch_pause or 0.0)
        while not self.stop.wait(max(0.0, min(_POLL, end - time.monotonic()))):
            self.held()
            if time.monotonic() >= end:
                return

    def _check(self) -> None:
        deploy = self.lock.deploy
        limit = deploy.batch_check_timeout or _LIMIT
        with self._running(deploy.batch_check) as process:
            reader = threading.Thread(target=self._pass_on, args=(process.stdout,), daemon=True)
            reader.start()
            end = time.monotonic() + limit
            while process.poll() is None:
                if self.stop.wait(_POLL):
                    return  # which ends it, and the caller takes all batches back
                self.held()
                if time.monotonic() >= end:
                    raise self._failed(f"didn't end within {limit:g} s")
            reader.join(GRACE)  # a child that it left behind may have its output still
        if process.returncode:
            raise self._failed(ended(process.returncode))

    @contextmanager
    def _running(self, argv: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
        try:
            with running(argv, self._environment()) as process:
                yield process
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise CheckFailed(
                f"`{shlex.join(argv)}` can't be run: {why}",
                hint="[deploy] batch-check is a program on this machine and its arguments; no "
                "shell.",
            ) from error

    def _pass_on(self, output: IO[bytes]) -> None:
        with output:
            while raw := output.readline(_LONGEST):
                self.report(Event("line", raw.decode(errors="replace").rstrip("\r\n")))

    def _environment(self) -> Mapping[str, str]:
        """Return this process's environment; what begins with LOCKSHIP_ is the lock's alone."""
        lock = self.lock
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("LOCKSHIP_")}
        return inherited | {
            "LOCKSHIP_SERVICE": lock.service.name,
            "LOCKSHIP_DESTINATION": lock.service.destination or "",
            "LOCKSHIP_VERSION": lock.service.version,
            "LOCKSHIP_COMMIT": lock.source.commit,
            "LOCKSHIP_FINGERPRINT": lock.fingerprint,
            "LOCKSHIP_BATCH": str(self.number),
            "LOCKSHIP_BATCHES": str(len(self.batches)),
            "LOCKSHIP_HOSTS": " ".join(self.batches[self.number - 1]),
        }

    def _failed(self, how: str) -> CheckFailed:
        return CheckFailed(
            f"`{shlex.join(self.lock.deploy.batch_check)}` {how}, "
            f"after batch {self.number} of {len(self.batches)} had switched",
            hint="Its output above says why; [deploy] batch-check in lockship.toml names it.",
        )
