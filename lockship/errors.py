"""One base error with a hint, and the exit status of each kind.

Domain code raises these; `cli.boundary` is the one place that turns them into a message and an
exit status. Every error says what is wrong (the message) and what to do next (the hint).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

EXIT_DONE: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_REFUSED: Final = 3
EXIT_UNDONE: Final = 4
EXIT_ATTENTION: Final = 5
EXIT_INTERRUPTED: Final = 130
SAME_COMMAND: Final = "<the same command>"
"""In a hint: the command line as it was typed. Only the door knows it, and puts it there."""


class LockshipError(Exception):
    """Failed, and nothing that serves was changed (exit 1).

    `details` are further lines shown under the message: a list of paths, a log's last lines.
    `outcome` is what hosts' journals say of a deploy that ended so; '' where none was begun.
    `alike` is the same for failures of several hosts of which one may stand for all; '' for none.
    """

    exit_status: ClassVar[int] = EXIT_FAILED
    outcome: str = ""
    alike: str = ""

    def __init__(self, message: str, *, hint: str = "", details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = tuple(details)


class UsageError(LockshipError):
    """The words or the configuration are wrong (exit 2)."""

    exit_status = EXIT_USAGE


class RefusedError(LockshipError):
    """lockship could, but won't: dirty tree, stale or damaged lock, policy (exit 3)."""

    exit_status = EXIT_REFUSED


class UndoneError(LockshipError):
    """The deploy failed and was undone; the old version serves (exit 4)."""

    exit_status = EXIT_UNDONE


class AttentionError(LockshipError):
    """Hosts differ from one another, or can't be read, and need a person (exit 5)."""

    exit_status = EXIT_ATTENTION


class InterruptedByUser(LockshipError):  # noqa: N818 - an interruption is not an error
    """Stopped by Ctrl-C or SIGTERM, after leaving things as the message says (exit 130)."""

    exit_status = EXIT_INTERRUPTED
