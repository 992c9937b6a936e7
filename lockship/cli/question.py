"""Asking a person before something is done that can't be taken back."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from lockship.cli import console
from lockship.errors import InterruptedByUser, UsageError


def require_terminal(command: str, otherwise: str) -> None:
    """Raise UsageError where nobody can be asked; `otherwise` is what to type instead."""
    if not (console.is_terminal(sys.stdin) and console.is_terminal(sys.stderr)):
        raise UsageError(
            f"`lockship {command}` asks before it does anything, and there is no terminal.",
            hint=otherwise,
        )


def ask(command: str, lines: Iterable[str]) -> None:
    """Show what will be done and wait for a yes; raise InterruptedByUser where it is a no."""
    for line in lines:
        console.say(line)
    console.say(f"{command}: go on? [y/N]")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise InterruptedByUser("Nothing was changed.")
