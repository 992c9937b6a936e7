"""The little that `init` reads from a Dockerfile.

Its format: https://docs.docker.com/reference/dockerfile/ (EXPOSE, FROM, line continuations).
"""

from __future__ import annotations

import re
from typing import Final

from lockship.dockerfile.lines import instructions

_EXPOSED: Final = re.compile(r"(\d{1,5})(?:/tcp)?", re.IGNORECASE)


def exposed_port(text: str) -> int | None:
    """Return the first TCP port that the last stage EXPOSEs as a plain number; None without one."""
    port: int | None = None
    for each in instructions(text):
        if each.onbuild:
            continue
        if each.name == "FROM":
            port = None
        elif each.name == "EXPOSE" and port is None:
            numbers = (_EXPOSED.fullmatch(word) for word in each.rest.text.split())
            port = next(
                (n for found in numbers if found and 0 < (n := int(found[1])) < 65536), None
            )
    return port
