"""Run one deploy hook: the locked blob, in a private folder, for a limited time."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from lockship.errors import InterruptedByUser, LockshipError
from lockship.hook.environment import Occasion, environment
from lockship.hook.lines import lines
from lockship.lock.hooks import FOLDER
from lockship.lock.model import Lock
from lockship.lock.names import lockfile_name
from lockship.lock.writer import dump
from lockship.programs import ended, running
from lockship.progress import Event, Report
from lockship.scratch import scratch_folder, sweep

LIMIT: Final = 300.0  # seconds for a hook, where the lock doesn't say
_POLL: Final = 0.05  # seconds between two looks at whether to go on
_LAST_WORDS: Final = 2.0  # seconds in which the output of a hook that has ended must be read
_PIECE: Final = 1 << 16


class HookFailed(LockshipError):  # noqa: N818 - a hook that said no didn't go wrong
    """A hook ended with another status than 0, didn't end in time, or couldn't be run."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook as it is locked, and where and about what it runs.

    `root` is the repository's folder, `folder` the service's in it; `outer` the environment that
    it inherits.
    """

    name: str
    script: bytes
    lock: Lock
    root: Path
    folder: Path
    occasion: Occasion
    outer: Mapping[str, str]


def run(
    hook: Hook,
    *,
    hide: Callable[[bytes], bytes],
    report: Report,
    stop: threading.Event | None = None,
) -> None:
    """Run a hook to its end, and report its output line by line.

    `hide` takes secrets out of a line. Raises HookFailed, and InterruptedByUser where `stop` is
    set meanwhile. Whatever ends it ends its whole process group.
    """
    what = f"hook {hook.name}"
    report(Event("start", what))
    try:
        _run(hook, hide, report, stop)
    except InterruptedByUser:
        report(Event("stopped", what))
        raise
    except BaseException:
        report(Event("failed", what))
        raise
    report(Event("done", what))


def _run(
    hook: Hook, hide: Callable[[bytes], bytes], report: Report, stop: threading.Event | None
) -> None:
    limit = (hook.lock.hooks and hook.lock.hooks.timeout) or LIMIT
    with _placed(hook) as (path, env):
        try:
            with _heard(hook.name, hide, report) as listen, running([path], env, hook.root) as it:
                assert it.stdout is not None  # noqa: S101 - it is a pipe
                listen(it.stdout)
                _wait(hook, it, limit, stop)
        except OSError as error:
            raise _unfit(hook, error) from error
    if it.returncode:
        raise HookFailed(
            f"{hook.name}: the hook {ended(it.returncode)}",
            hint=f"Its output says why; what ran is {FOLDER}/{hook.name} as it was locked.",
        )


def _wait(
    hook: Hook,
    process: subprocess.Popen[bytes],
    limit: float,
    stop: threading.Event | None,
) -> None:
    end = time.monotonic() + limit
    while process.poll() is None:
        if stop is not None and stop.is_set():
            raise InterruptedByUser(f"Interrupted in the {hook.name} hook.")
        if time.monotonic() >= end:
            raise HookFailed(
                f"{hook.name}: the hook didn't end within {limit:g} s, and was ended",
                hint="[hooks] timeout in lockship.toml gives it more time.",
            )
        with suppress(subprocess.TimeoutExpired):
            process.wait(_POLL)


@contextmanager
def _heard(
    name: str, hide: Callable[[bytes], bytes], report: Report
) -> Iterator[Callable[[IO[bytes]], None]]:
    """Give what listens to a program's output, live, until the block ends and it has come."""
    over = threading.Event()
    readers: list[threading.Thread] = []

    def pass_on(output: IO[bytes]) -> None:
        with output:
            for line in lines(iter(lambda: os.read(output.fileno(), _PIECE), b""), hide):
                if not over.is_set() and line.strip():
                    text = line.decode(errors="surrogateescape")
                    report(Event("line", f"{name}: {text}"))

    def listen(output: IO[bytes]) -> None:
        readers.append(threading.Thread(target=pass_on, args=(output,), daemon=True))
        readers[0].start()

    try:
        yield listen
    finally:
        for reader in readers:
            # A child that the hook left behind, such as a tunnel, may hold its output open.
            reader.join(_LAST_WORDS)
        over.set()


@contextmanager
def _placed(hook: Hook) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """Put the script and a copy of the lock into a folder that only its owner can enter."""
    try:
        sweep()
        with scratch_folder() as folder:
            path, copy = folder / hook.name, folder / lockfile_name(hook.lock.service.destination)
            _write(path, hook.script, 0o700)
            _write(copy, dump(hook.lock), 0o600)
            told = environment(
                hook.outer, hook.lock, hook.occasion, name=hook.name, folder=hook.folder, copy=copy
            )
            yield path, told
    except OSError as error:
        raise HookFailed(
            f"{hook.name}: the hook can't be put into a temporary folder: {error.strerror}",
            hint="Make room there, or set TMPDIR to another one.",
        ) from error


def _write(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(data)


def _unfit(hook: Hook, error: OSError) -> HookFailed:
    first = hook.script.partition(b"\n")[0][:80].decode(errors="replace")
    hint = f"Its first line names what runs it: {first}"
    if isinstance(error, PermissionError):
        hint = "The folder for temporary files may be mounted noexec: set TMPDIR to another one."
    return HookFailed(f"{hook.name}: the hook can't be run: {error.strerror}", hint=hint)
