"""A program's output as lines, also where it comes in pieces, or without an end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

KEPT: Final = 1 << 16
"""Bytes of a line without an end that are kept back: a secret may go on after what has come."""

_END: Final = re.compile(rb"\r\n|\n|\r(?!\Z)")  # a CR at the end may be half of a CRLF


def lines(pieces: Iterable[bytes], hide: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """Yield lines without their ends; a carriage return ends one too, as in a bar of progress.

    `hide` takes secrets out, and is given whole lines, so that none is seen in two halves. Of a
    line without an end, what comes after the first 128 KiB is passed on in parts, each hidden
    before it is cut.
    """
    rest = b""
    for piece in pieces:
        *whole, rest = _END.split(rest + piece)
        yield from map(hide, whole)
        if len(rest) > 2 * KEPT:
            rest = hide(rest)
            yield rest[:-KEPT]
            rest = rest[-KEPT:]
    if rest.rstrip(b"\r"):
        yield hide(rest.rstrip(b"\r"))
