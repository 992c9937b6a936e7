"""The kinds of source from which a secret comes, all in one table.

A source is written `KIND:WHAT`, and `KIND:WHAT#PART` where what is fetched holds several secrets.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lockship.secrets import dotenv
from lockship.secrets.kind import Kind, Place, Unresolved
from lockship.secrets.managers import MANAGERS
from lockship.secrets.program import LARGEST, as_text, output

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Source:
    """A source that was read: the name of its kind, what to fetch, and which part of that."""

    kind: str
    what: str
    part: str = ""


def parse(text: str) -> Source:
    """Read a source. Raises ValueError, which doesn't repeat it: it may be a value by mistake."""
    name, _, rest = text.partition(":")
    kind = KINDS.get(name)
    if kind is None:
        raise ValueError(EXPECTED)
    what, _, part = rest.rpartition("#") if kind.pick and "#" in rest else (rest, "", "")
    if not rest.isprintable() or not kind.is_sound(what, part):
        raise ValueError(f"'{kind.form}', as {name} secrets are written")
    return Source(name, what, part)


def _from_environment(name: str, place: Place) -> str:
    if name not in place.environ:
        raise Unresolved("the variable isn't set")
    return place.environ[name]


def _from_file(path: str, place: Place) -> str:
    """Read a file; the line end behind its last line isn't part of the secret."""
    try:
        whole = place.root / Path(path).expanduser()
        with whole.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: nobody knows where the home is
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise Unresolved(f"the file can't be read: {why}") from None
    return as_text(data, "the file")


def _from_program(words: str, place: Place) -> str:
    """Run a program, without a shell, in the repository; its output is the secret."""
    return output(shlex.split(words), place)


def _of_dotenv(text: str, name: str) -> str:
    values = dotenv.parse(text)
    if name not in values:
        raise Unresolved(f"the file has no {name}")
    return values[name]


def _is_name(text: str, _part: str = "") -> bool:
    return _NAME.fullmatch(text) is not None


def _is_path(text: str, _part: str) -> bool:
    return bool(text.strip())


def _is_path_and_name(path: str, name: str) -> bool:
    return _is_path(path, "") and _is_name(name)


def _is_command(text: str, _part: str) -> bool:
    try:
        return bool(shlex.split(text))
    except ValueError:
        return False


KINDS: Final[Mapping[str, Kind]] = {
    "env": Kind("env:NAME", _is_name, _from_environment),
    "file": Kind("file:PATH", _is_path, _from_file),
    "dotenv": Kind("dotenv:PATH#NAME", _is_path_and_name, _from_file, _of_dotenv),
    "cmd": Kind("cmd:PROGRAM ARGUMENTS", _is_command, _from_program),
    **MANAGERS,
}
EXPECTED: Final = (
    "a source: env:NAME, file:PATH, dotenv:PATH#NAME, cmd:PROGRAM ARGUMENTS, or a manager's "
    f"({', '.join(f'{name}:' for name in MANAGERS)})"
)
