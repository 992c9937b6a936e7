"""Names that a file system without upper and lower case takes for one another."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from lockship.build.listing import shown
from lockship.errors import RefusedError


def ignores_case(folder: Path, name: str) -> bool:
    """Tell whether the file system finds the entry `name` (lower case) under another case."""
    return (folder / name.upper()).exists()


def refuse_clashes(paths: Iterable[bytes]) -> None:
    """Raise RefusedError where two names would be one file."""
    seen: dict[str, bytes] = {}
    for path in paths:
        folded = unicodedata.normalize("NFC", os.fsdecode(path)).casefold()
        if folded in seen:
            raise RefusedError(
                f"{shown(seen[folded])} and {shown(path)} would be one file on this file system.",
                hint="Point XDG_CACHE_HOME to a file system that tells upper from lower case.",
            )
        seen[folded] = path
