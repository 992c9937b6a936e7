"""What is printed where: data on stdout, everything else on stderr (law of the doors).

Colour and live progress only on a terminal that wants them: NO_COLOR (no-color.org) and
TERM=dumb are respected.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from typing import TextIO


class OutputClosedError(Exception):
    """Nobody reads stdout any more (`lockship logs | head`)."""


def prepare_streams() -> None:
    """Let no text fail to be printed, whatever the locale's encoding."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def data(text: str) -> None:
    """Print a line of data on stdout. Raises OutputClosedError when nobody reads it."""
    data_bytes(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))


def data_bytes(line: bytes) -> None:
    """Print a line of data as it is. Raises OutputClosedError when nobody reads it."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        raise OutputClosedError from error


def data_json(value: object) -> None:
    """Print a value as one line of JSON on stdout."""
    import msgspec

    from lockship.cli.text import json_visible

    data(json_visible(msgspec.json.encode(value)))


def say(text: str = "") -> None:
    """Print a line on stderr. A reader that went away doesn't stop what is being done."""
    try:
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is where progress is printed
    except (BrokenPipeError, ValueError, AttributeError):
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
