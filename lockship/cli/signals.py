"""Ctrl-C and SIGTERM: once stops cleanly, twice ends at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

from lockship.errors import EXIT_INTERRUPTED

# SIGHUP is a terminal that was closed: a deploy in it must be stopped as cleanly as by Ctrl-C.
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_Handler = Callable[[int, FrameType | None], object] | signal.Handlers


@contextmanager
def ending_by_exception() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end what is under way as Ctrl-C does: by KeyboardInterrupt.

    So temporary files go and child processes end, whichever way lockship is stopped.
    """

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handling(interrupt):
        yield


@contextmanager
def ignored() -> Iterator[None]:
    """Ignore signals while the last words are said: they take no time."""
    with _handling(signal.SIG_IGN):
        yield


@contextmanager
def stopping(*, first: str = "", second: str = "") -> Iterator[threading.Event]:
    """Give an event that the first signal sets; the second one ends the process at once (130).

    `first` and `second` are what is said then. After the second one nothing is waited for: work
    on hosts stays as it is, and the children of this process are told to end.
    """
    stop = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        if not stop.is_set():
            stop.set()
            _say(first)
            return
        _say(second)
        _show_cursor()
        _end_children()
        os._exit(EXIT_INTERRUPTED)

    with _handling(ask):
        yield stop


@contextmanager
def _handling(handler: _Handler) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # Python handles signals in its main thread only
        return
    before = {}
    for number in _SIGNALS:
        # Somebody who set a signal to be ignored (nohup, a shell's background job) meant it.
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _say(text: str) -> None:
    """Write to stderr below Python's buffers: a signal may come while they are in use."""
    if not text:
        return
    # On a terminal a live display may stand in this line: go to its start and clear it.
    start = "\r\x1b[K" if os.isatty(2) else ""
    with suppress(OSError):
        os.write(2, f"{start}{text}\n".encode())


def _show_cursor() -> None:
    """Undo what a live display did to the terminal: nothing else will, at this kind of end."""
    if os.isatty(2):
        with suppress(OSError):
            os.write(2, b"\x1b[?25h")


def _end_children() -> None:
    """Ask this process's children (git, docker) to end.

    Where the kernel doesn't list them (no /proc), a closed pipe or the terminal's signal does.
    """
    from pathlib import Path

    for listed in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            for child in listed.read_text().split():
                pid = int(child)
                if os.getpgid(pid) == pid:  # one that was started with a group of its own
                    os.killpg(pid, signal.SIGTERM)
                else:
                    os.kill(pid, signal.SIGTERM)
