"""Run one command line from its words to its exit status."""

from __future__ import annotations

from collections.abc import Sequence

from lockship.cli import boundary, console, signals


def run(argv: Sequence[str]) -> int:
    """Run `argv` (without the program's name) and return the exit status; never raises."""
    try:
        console.prepare_streams()
        with signals.ending_by_exception():
            return _invoke(argv)
    except BaseException as error:  # noqa: BLE001 - the last resort of the whole program
        with signals.ignored():
            return boundary.report(error, argv)


def _invoke(argv: Sequence[str]) -> int:
    """Parse and call. click's own `main` is left out: it decides on exit statuses itself."""
    from lockship.cli.group import lockship

    try:
        with lockship.make_context("lockship", list(argv)) as context:
            status = lockship.invoke(context)
    except OSError as error:
        if _from_printing_help(error):
            raise console.StdoutError(error) from error
        raise
    return status if isinstance(status, int) else 0


def _from_printing_help(error: OSError) -> bool:
    """Tell whether it was click that couldn't print: that is no failure of a host or an engine."""
    from traceback import walk_tb

    import click

    return any(frame.f_code is click.echo.__code__ for frame, _ in walk_tb(error.__traceback__))
