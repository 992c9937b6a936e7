"""The kinds of source from which a secret comes, all in one table.

A source is written `KIND:WHAT`, and `KIND:WHAT#PART` where what is fetched holds several secrets.
A further kind (a password manager's own program) is one more entry in `KINDS`.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lockship.secrets import dotenv

EXPECTED: Final = "a source: env:NAME, file:PATH, dotenv:PATH#NAME or cmd:PROGRAM ARGUMENTS"
PATIENCE: Final = 60.0  # seconds that a program may take
_LARGEST: Final = 1 << 20  # bytes: a secret is a password, a key or a certificate
_SAID_LINES: Final = 3  # of what a failed program said, the last ones
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Unresolved(Exception):  # noqa: N818 - what is so, not an error's kind
    """A secret can't be had. Its text says why, and is safe to show."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where secrets are looked for: the folder that paths begin at, and the environment."""

    root: Path
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of source.

    `is_sound` tells whether what is behind the ':' can be right. `fetch` gets it, up to the '#' of
    a kind with parts, and is called once for however many secrets; `pick` finds the part.
    """

    is_sound: Callable[[str], bool]
    fetch: Callable[[str, Place], str]
    pick: Callable[[str, str], str] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A source that was read: the name of its kind, what to fetch, and which part of that."""

    kind: str
    what: str
    part: str = ""


def parse(text: str) -> Source:
    """Read a source. Raises ValueError, which doesn't repeat it: it may be a value by mistake."""
    name, colon, rest = text.partition(":")
    kind = KINDS.get(name)
    if kind is None or not colon or not rest.isprintable() or not kind.is_sound(rest):
        raise ValueError(EXPECTED)
    if kind.pick is None:
        return Source(name, rest)
    what, _, part = rest.rpartition("#")
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
            data = file.read(_LARGEST + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: nobody knows where the home is
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise Unresolved(f"the file can't be read: {why}") from None
    return _as_text(data, "the file")


def _from_program(words: str, place: Place) -> str:
    """Run a program, without a shell, in the repository; its output is the secret."""
    argv = shlex.split(words)
    try:
        done = subprocess.run(
            argv,
            cwd=place.root,
            env=dict(place.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except OSError as error:
        raise Unresolved(f"{argv[0]} can't be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise Unresolved(f"{argv[0]} took longer than {PATIENCE:g} seconds") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-_SAID_LINES:]
        raise Unresolved("\n".join([f"{argv[0]} ended with status {done.returncode}", *said]))
    return _as_text(done.stdout, f"{argv[0]}'s output")


def _as_text(data: bytes, what: str) -> str:
    if len(data) > _LARGEST:
        raise Unresolved(f"{what} is larger than 1 MiB")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Unresolved(f"{what} is no UTF-8 text") from None
    return text.removesuffix("\n").removesuffix("\r")


def _from_dotenv(text: str, name: str) -> str:
    values = dotenv.parse(text)
    if name not in values:
        raise Unresolved(f"the file has no {name}")
    return values[name]


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def _is_path(text: str) -> bool:
    return bool(text.strip())


def _is_path_and_name(text: str) -> bool:
    path, _, name = text.rpartition("#")
    return _is_path(path) and _is_name(name)


def _is_command(text: str) -> bool:
    try:
        return bool(shlex.split(text))
    except ValueError:
        return False


KINDS: Final[Mapping[str, Kind]] = {
    "env": Kind(_is_name, _from_environment),
    "file": Kind(_is_path, _from_file),
    "dotenv": Kind(_is_path_and_name, _from_file, _from_dotenv),
    "cmd": Kind(_is_command, _from_program),
}
