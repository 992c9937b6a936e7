"""Everything that is wrong in the configuration, as one error with file, line and key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lockship.errors import UsageError
from lockship.lock.shape import Path, Problem


@dataclass(frozen=True)
class Document:
    """A file of the configuration: its name, its text, what the text says."""

    name: str
    text: str
    tables: dict[str, Any]


def complain(documents: Sequence[Document], found: Sequence[Problem]) -> UsageError:
    """Return the error that lists every problem where a person finds it.

    `documents` are merged in this order, so a value comes from the last one that has its key; a
    missing key is looked for in the nearest table that is there.
    """
    from lockship.prepare.lines import key_lines  # rarely needed

    lines = {document.name: key_lines(document.text) for document in documents}
    details = [_describe(problem, lines) for problem in found]
    names = " and ".join(lines)
    count = "a problem" if len(found) == 1 else f"{len(found)} problems"
    return UsageError(
        f"{names}: {count}.", details=details, hint="Mend, commit, then `lockship prepare` again."
    )


def _describe(problem: Problem, lines: dict[str, dict[Path, int]]) -> str:
    name, line = _place(problem.path, lines)
    key = problem.key or "the file"
    return f"{name}:{line}: {key}: found {problem.found}, expected {problem.expected}"


def _place(path: Path, lines: dict[str, dict[Path, int]]) -> tuple[str, int]:
    for length in range(len(path), 0, -1):
        for name, known in reversed(lines.items()):
            if path[:length] in known:
                return name, known[path[:length]]
    return next(iter(lines)), 1
