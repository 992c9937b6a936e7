"""Run the program that a secret comes from: no shell, a limit of time and size."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Final

from lockship.secrets.kind import Place, Unresolved

PATIENCE: Final = 60.0  # seconds that a program may take
LARGEST: Final = 1 << 20  # bytes: a secret is a password, a key or a certificate
_SAID_LINES: Final = 3  # of what a failed program said, the last ones


def output(argv: Sequence[str], place: Place, *, of: str = "") -> str:
    """Return what a program prints, run in the repository, without the last line's end.

    `of` is whose program it is, for the message when it isn't there. Raises Unresolved.
    """
    program = argv[0]
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
    except FileNotFoundError as error:
        whose = f" (it is {of}: install it, and sign in)" if of else ""
        raise Unresolved(f"{program} can't be run: {error.strerror}{whose}") from None
    except OSError as error:
        raise Unresolved(f"{program} can't be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise Unresolved(f"{program} took longer than {PATIENCE:g} seconds") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-_SAID_LINES:]
        raise Unresolved("\n".join([f"{program} ended with status {done.returncode}", *said]))
    return as_text(done.stdout, f"{program}'s output")


def as_text(data: bytes, what: str) -> str:
    """Return bytes as text, without the last line's end. Raises Unresolved where they are none."""
    if len(data) > LARGEST:
        raise Unresolved(f"{what} is larger than 1 MiB")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Unresolved(f"{what} is no UTF-8 text") from None
    return text.removesuffix("\n").removesuffix("\r")
