"""The little that `init` reads from a Dockerfile.

Its format: https://docs.docker.com/reference/dockerfile/ (EXPOSE, FROM, line continuations).
"""

from __future__ import annotations

import re
from typing import Final

_EXPOSED: Final = re.compile(r"(\d{1,5})(?:/tcp)?", re.IGNORECASE)
_ESCAPE: Final = re.compile(r"#\s*escape\s*=\s*`\s*", re.IGNORECASE)


def exposed_port(text: str) -> int | None:
    """Return the first TCP port that the last stage EXPOSEs as a plain number; None without one."""
    port: int | None = None
    for line in _instructions(text):
        word, _, rest = line.partition(" ")
        if word.upper() == "FROM":
            port = None
        elif word.upper() == "EXPOSE" and port is None:
            numbers = (_EXPOSED.fullmatch(each) for each in rest.split())
            port = next(
                (n for found in numbers if found and 0 < (n := int(found[1])) < 65536), None
            )
    return port


def _instructions(text: str) -> list[str]:
    """Join continued lines and leave comments out, as the Dockerfile's parser does."""
    lines = text.splitlines()
    escape = "`" if lines and _ESCAPE.fullmatch(lines[0]) else "\\"
    joined: list[str] = []
    pending = ""
    for line in lines:
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        pending += " " + stripped.removesuffix(escape).strip()
        if not stripped.endswith(escape):
            joined.append(" ".join(pending.split()))
            pending = ""
    return [*joined, " ".join(pending.split())] if pending else joined
