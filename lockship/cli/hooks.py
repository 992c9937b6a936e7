"""The join of a command and the deploy hooks of its lock: which run when, and what they decide.

A `pre-*` hook that fails stops the command. A `post-*` hook that fails is said, changes the exit
status, and undoes nothing. `deploy-failed` never hides the error that came first.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from lockship.cli import boundary, console, lockedhooks, lockfile, masking, progress
from lockship.cli.text import visible
from lockship.errors import InterruptedByUser, LockshipError
from lockship.lock.model import Lock
from lockship.progress import Event, Report

if TYPE_CHECKING:
    from pathlib import Path

    from lockship.hook.environment import Occasion

_LAST_LINES = 10  # of a hook's output, where nobody saw it come


@dataclass(slots=True)
class Hooks:
    """The locked scripts around one command. Where the lock has none, nothing ever happens.

    `lock` is what they are told about: with the artifact once there is one. `skipped` are those of
    the lock that were told not to run; `late` those that failed when all was done.
    """

    lock: Lock
    root: Path
    folder: Path
    scripts: dict[str, bytes]
    occasion: Occasion
    quietly: bool
    skipped: tuple[str, ...] = ()
    began: float = field(default_factory=time.monotonic)
    late: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        found: lockfile.Found,
        command: str,
        *,
        quietly: bool,
        skip: frozenset[str] = frozenset(),
    ) -> Hooks:
        """Read a lock's scripts. Raises RefusedError where one isn't there, before all else.

        Not those of `skip`: what is left out may be just what isn't there.
        """
        from lockship.hook.environment import Occasion
        from lockship.hook.scripts import read

        scripts = dict(read(found.root, found.lock, skip))
        performer = ""
        if scripts:
            from lockship.deploy.journal import local_performer

            performer = local_performer()
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        occasion = Occasion(command=command, performer=performer, recorded_at=now)
        left = lockedhooks.skipped(found.lock, skip, command)
        return cls(found.lock, found.root, found.folder, scripts, occasion, quietly, left)

    def say_skipped(self) -> None:
        """Say which hooks don't run, as an exception that nobody should miss."""
        if self.skipped:
            console.say(f"hooks skipped: {', '.join(self.skipped)}")

    def before(
        self, name: str, report: Report | None = None, stop: threading.Event | None = None
    ) -> None:
        """Run a hook that may say no. Raises LockshipError where it does."""
        try:
            self.run(name, report, stop)
        except LockshipError as error:
            error.message = f"{error.message.removesuffix('.')}; nothing was changed."
            raise

    def consent(self, report: Report, stop: threading.Event) -> None:
        """Run `pre-switch`, in a rollout that takes back what it began where the hook says no."""
        self.run("pre-switch", report, stop)

    def after(self, name: str, report: Report | None = None) -> None:
        """Run a hook when all is done; where it fails, that is said now and counts at the end."""
        try:
            self.run(name, report)
        except KeyboardInterrupt as error:
            done = f"{self.lock.service.version} is deployed"
            if name == "post-build":
                done = "the image is built"
            raise InterruptedByUser(
                f"Interrupted in the {name} hook; {done}, nothing was undone."
            ) from error
        except LockshipError as error:
            self.late.append(name)
            boundary.show(error.message, details=error.details, hint=error.hint)

    def settle(self, kind: type[LockshipError], done: str) -> None:
        """Raise an error of this kind where a hook failed when all was done."""
        if self.late:
            raise kind(
                f"{done}, but a hook failed: {', '.join(self.late)}.",
                hint="Nothing was undone; `lockship hook run NAME` runs a hook again.",
            )

    def served(self, versions: Sequence[str]) -> None:
        """Take the versions that serve before anything changes."""
        self.occasion = msgspec.structs.replace(self.occasion, previous=",".join(versions))

    @contextmanager
    def told_of_failure(self) -> Iterator[None]:
        """Run `deploy-failed` where the block fails; the error stays what it is."""
        try:
            yield
        except (Exception, KeyboardInterrupt) as error:
            self._failed(error)
            raise

    def _failed(self, error: BaseException) -> None:
        what = error.message if isinstance(error, LockshipError) else type(error).__name__
        what = "interrupted" if isinstance(error, KeyboardInterrupt) else what
        told = visible(masking.masked(what))
        self.occasion = msgspec.structs.replace(self.occasion, error=told)
        try:
            self.run("deploy-failed")
        except (LockshipError, KeyboardInterrupt) as second:
            how = second.message if isinstance(second, LockshipError) else "interrupted"
            line = f"deploy-failed: {how.removeprefix('deploy-failed: ')}"
            if isinstance(error, LockshipError):
                error.details = (*error.details, line)
            else:
                boundary.show(line)

    def run(
        self, name: str, report: Report | None = None, stop: threading.Event | None = None
    ) -> None:
        """Run a hook, if it is locked. Raises HookFailed, InterruptedByUser."""
        if name not in self.scripts:
            return
        if report is not None:
            self._start(name, report, stop)
            return
        with progress.shown(quietly=self.quietly) as own:
            self._start(name, own, stop)

    def _start(self, name: str, report: Report, stop: threading.Event | None) -> None:
        from lockship.hook.run import Hook, HookFailed, run

        runtime = time.monotonic() - self.began
        occasion = msgspec.structs.replace(self.occasion, runtime=runtime)
        about = (name, self.scripts[name], self.lock, self.root, self.folder)
        hook = Hook(*about, occasion, os.environ)
        last: list[str] = []

        def heard(event: Event) -> None:
            if event.kind == "line":
                last.append(event.step)
                del last[:-_LAST_LINES]
            report(event)

        try:
            run(hook, hide=masking.masked_bytes, report=heard, stop=stop)
        except HookFailed as error:
            if self.quietly:
                error.details = tuple(last)
            raise


def connecting(found: lockfile.Found, command: str, *, quietly: bool, skip: frozenset[str]) -> None:
    """Run `pre-connect` for a command that asks hosts before it knows which lock it deploys."""
    hooks = Hooks.of(found, command, quietly=quietly, skip=skip)
    with hooks.told_of_failure():
        hooks.before("pre-connect")
