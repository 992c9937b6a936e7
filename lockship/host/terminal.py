"""This process's own terminal, lent to a program on a host."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def raw(descriptor: int) -> Iterator[None]:
    """Pass keys on as they are typed, Ctrl-C too; undone at the end. Nothing on a non-terminal."""
    if not os.isatty(descriptor):
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte: `os.write` may take fewer."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def size() -> tuple[int, int]:
    """Return the terminal's (lines, columns); 24 and 80 when there is none."""
    for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        try:
            found = os.get_terminal_size(stream.fileno()) if stream else None
        except (OSError, ValueError):
            continue
        if found and found.lines and found.columns:
            return found.lines, found.columns
    return 24, 80
