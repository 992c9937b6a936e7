"""`git status`, begun before anything else is loaded: it takes the longest of all."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from lockship.git import start

# Spelt out, because a person's configuration may hide untracked files and submodules.
COMMAND: Final = ("status", "--porcelain=v2", "-z", "--no-renames", "--ignore-submodules=none")


def begin(folder: Path) -> subprocess.Popen[bytes]:
    """Start it in `folder`; `dirty.finish` reads it to its end."""
    return start(folder, *COMMAND, "--untracked-files=normal")
