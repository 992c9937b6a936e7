"""The one place where an exception becomes a message and an exit status."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from lockship.cli import console
from lockship.cli.masking import masked
from lockship.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, SAME_COMMAND, LockshipError

if TYPE_CHECKING:
    from pathlib import Path

EXIT_OUTPUT_CLOSED: Final = 141  # 128 + SIGPIPE, as a shell reports a program that it ended
_INDENT: Final = "       "  # the width of "error: "
_LONGEST: Final = 2000  # characters of a line that came from elsewhere, such as a log's


def report(error: BaseException, argv: Sequence[str]) -> int:
    """Say what went wrong on stderr and return the exit status."""
    if isinstance(error, LockshipError):
        typed = shlex.join(["lockship", *argv])
        hint = error.hint.replace(SAME_COMMAND, typed)
        show(error.message, details=error.details, hint=hint)
        return error.exit_status
    if isinstance(error, KeyboardInterrupt):
        console.say("interrupted")
        return EXIT_INTERRUPTED
    if isinstance(error, console.StdoutError):
        return _report_stdout(error.failure)
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else EXIT_FAILED
    status = _report_click(error)
    return status if status is not None else _report_bug(error, argv)


def show(message: str, *, details: Sequence[str] = (), hint: str = "") -> None:
    """Print `error: message`, then the details and the hint, indented, with nothing to obey."""
    from lockship.cli.text import visible

    first, *more = message.split("\n")
    console.say(f"{_label('error:', '31')} {visible(first)}")
    for line in (*more, *(part for detail in details for part in detail.split("\n"))):
        console.say(_INDENT + _short(visible(masked(line), keep="\t")))
    if hint:
        first, *more = hint.split("\n")
        console.say(f"{_label('hint: ', '36')} {visible(first)}")
        for line in more:
            console.say(_INDENT + visible(line))


def _short(line: str) -> str:
    """Return a line as far as one reads it; it's masked already, so no secret is cut in two."""
    more = len(line) - _LONGEST
    return line if more <= 0 else f"{line[:_LONGEST]}… and {more} characters more"


def _report_stdout(failure: OSError) -> int:
    console.give_up_stdout()
    if isinstance(failure, BrokenPipeError):
        return EXIT_OUTPUT_CLOSED  # nobody reads: nobody wants to be told either
    show(
        f"The output can't be written: {failure.strerror}.",
        hint="Only showing it failed; what was asked for may have been done.",
    )
    return EXIT_FAILED


def _label(text: str, colour: str) -> str:
    if not console.wants_colour(sys.stderr):
        return text
    return f"\x1b[1;{colour}m{text}\x1b[0m"


def _report_click(error: BaseException) -> int | None:
    """Report what click raises; None where it is none of click's."""
    import click

    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        console.say("interrupted")
        return EXIT_INTERRUPTED
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "lockship"
        show(error.format_message(), hint=f"`{path} --help` shows what there is.")
        return EXIT_USAGE
    if isinstance(error, click.ClickException):
        show(error.format_message())
        return error.exit_code
    return None


def _report_bug(error: BaseException, argv: Sequence[str]) -> int:
    import traceback

    from lockship.cli.text import visible

    text = "".join(traceback.format_exception(error))
    summary = visible(masked(f"{type(error).__name__}: {error}"))[:300]
    try:
        path = _write_log(text, argv)
    except (OSError, RuntimeError) as failure:  # RuntimeError: nobody knows where the home is
        console.say("\n".join(visible(line, keep="\t") for line in text.splitlines()))
        hint = f"The traceback is above: it couldn't be written to a file ({failure})."
    else:
        hint = f"The traceback is in {path}"
    show(f"lockship has a bug: {summary}", hint=hint)
    return EXIT_FAILED


def _write_log(text: str, argv: Sequence[str]) -> Path:
    """Write a traceback to a file that only its owner reads, and return its path.

    Of the command line only the command's name is kept: what follows `exec` may be a secret.
    """
    import platform
    from datetime import UTC, datetime

    from lockship import __version__

    folder = _state_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.now(UTC)
    path = folder / f"bug-{now:%Y%m%dT%H%M%S}-{os.getpid()}.log"
    command = next((word for word in argv if not word.startswith("-")), "")
    head = (
        f"lockship {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"command: {command}\nat: {now.isoformat(timespec='seconds')}\n\n"
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(masked(head + text))
    return path


def _state_folder() -> Path:
    """The XDG base directory specification: an unset, empty or relative value is ignored."""
    from pathlib import Path

    given = os.environ.get("XDG_STATE_HOME", "")
    state = Path(given) if given.startswith("/") else Path.home() / ".local" / "state"
    return state / "lockship"
