"""What is printed where: data on stdout, everything else on stderr (law of the doors).

Nothing is printed that `masking` hides.

Colour and live progress only on a terminal that wants them: NO_COLOR (no-color.org) and
TERM=dumb are respected.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from typing import TextIO

from lockship.cli.masking import masked, masked_bytes


class StdoutError(Exception):
    """Data can't be printed: nobody reads it any more (`logs | head`), or a disk is full.

    It is no OSError, so that nobody takes it for a failed connection to a host or an engine.
    """

    def __init__(self, failure: OSError) -> None:
        super().__init__(str(failure))
        self.failure = failure


def prepare_streams() -> None:
    """Let no text fail to be printed, whatever the locale's encoding."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def data(text: str) -> None:
    """Print a line of data on stdout. Raises StdoutError where that fails."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    data_bytes(masked(text).encode(encoding, "backslashreplace"))


def data_bytes(line: bytes) -> None:
    """Print a line of data as it is. Raises StdoutError where that fails."""
    try:
        if sys.stdout is None:  # lockship status >&-
            raise BrokenPipeError
        sys.stdout.flush()
        sys.stdout.buffer.write(masked_bytes(line) + b"\n")
        sys.stdout.buffer.flush()
    except OSError as error:
        raise StdoutError(error) from error


def give_up_stdout() -> None:
    """Point stdout at nothing, so that Python's flush at exit has nothing to complain about."""
    if sys.stdout is None:
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


def data_json(value: object) -> None:
    """Print a value as one line of JSON on stdout."""
    import msgspec

    from lockship.cli.text import json_visible

    data(json_visible(msgspec.json.encode(value)))


def say(text: str = "") -> None:
    """Print a line on stderr. A reader that went away doesn't stop what is being done."""
    if sys.stderr is None:  # lockship deploy 2>&-
        return
    try:
        print(masked(text), file=sys.stderr, flush=True)  # noqa: T201 - this is where progress is printed
    except (OSError, ValueError):
        return


def is_terminal(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal; a closed one is not."""
    try:
        return stream.isatty()
    except (ValueError, AttributeError):
        return False


def is_live(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether lines on this stream may be redrawn."""
    return is_terminal(stream) and environ.get("TERM", "dumb") not in ("dumb", "unknown", "")


def wants_colour(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether this stream may be coloured."""
    return is_live(stream, environ) and not environ.get("NO_COLOR")
