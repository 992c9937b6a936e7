"""A line of a container's log: as data, for a terminal, or as it was written."""

from __future__ import annotations

import sys
from typing import Final

from lockship.cli import console
from lockship.cli.text import visible

_TAB: Final = "\t"


def show(host: str, container: str, line: bytes, *, as_json: bool) -> None:
    """Print a line with its host and container; for a terminal control characters are shown."""
    line = line.rstrip(b"\r\n")
    if as_json:
        text = line.decode(errors="backslashreplace")
        console.data_json({"host": host, "container": container, "line": text})
    elif console.is_terminal(sys.stdout):
        console.data(f"{visible(host)} {visible(container)} | {visible(line, keep=_TAB)}")
    else:
        console.data_bytes(f"{host} {container} | ".encode() + line)
