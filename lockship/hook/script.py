"""The script that git runs: `hooks/pre-push`, and how it knows itself again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

import lockship

_PLACE: Final = "hooks/pre-push"
_MARK: Final = b"\n# lockship's pre-push hook: "
_PYTHON: Final = "python=''"


def text(python: str) -> bytes:
    """Return the script as it is installed: it falls back on this Python's lockship."""
    package = Path(lockship.__file__).parent
    # In the package where that was installed from a wheel, beside it in a checkout.
    found = next(p / _PLACE for p in (package, package.parent) if (p / _PLACE).is_file())
    return found.read_text().replace(_PYTHON, f"python={shlex.quote(python)}", 1).encode()


def is_ours(data: bytes) -> bool:
    """Tell whether a hook is this script, of whatever version."""
    return _MARK in data[:200]


def calls_us(data: bytes) -> bool:
    """Tell whether somebody's own hook calls lockship."""
    return b"lockship hook pre-push" in data
