"""BuildKit's plain output: which step failed, and what it said.

Lines are `#7 [2/3] RUN make`, then `#7 0.532 text` for output and `#7 ERROR: why` for the end
(moby/buildkit, util/progress/progressui/printer.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_LINE = re.compile(r"#(\d+) (.*)")
_TIMED = re.compile(r"\d+\.\d+ ?(.*)")
_NOISE = re.compile(r"sha256:[0-9a-f]{64}(?: |$)|DONE |CACHED$|\.\.\.$|resolve |extracting ")
_FALLBACK = 30


def failing_step(lines: Iterable[str]) -> list[str]:
    """Return the failing step's name, its output and its error, from a build's plain output.

    Where no step failed (a Dockerfile that can't be parsed), the end of the output.
    """
    kept = [line.rstrip() for line in lines]
    parsed = [match for line in kept if (match := _LINE.fullmatch(line))]
    failed = [
        match[1]
        for match in parsed
        if match[2].startswith("ERROR: ") and not match[2].endswith("context canceled")
    ]
    if not failed:
        told = [line for line in kept if line and not _LINE.match(line) and line != "------"]
        return (told or kept)[-_FALLBACK:]
    step = failed[0]
    found = []
    for match in parsed:
        text = match[2].strip()
        if match[1] != step or not text or _NOISE.match(text):
            continue
        timed = _TIMED.fullmatch(text)
        found.append(timed[1] if timed else text)
        if text.startswith("ERROR: "):
            break  # what follows is the same output again
    return list(_without_repeats(found))


def _without_repeats(lines: list[str]) -> Iterable[str]:
    """A step's name is said again each time the output comes back to it."""
    name = lines[0] if lines else ""
    for index, line in enumerate(lines):
        if index == 0 or line != name:
            yield line
