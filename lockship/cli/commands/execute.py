"""`lockship exec`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lockship.cli import console, options


@click.command("exec", context_settings={"allow_interspersed_args": False})
@options.destination
@options.role
@options.host
@click.argument("argv", metavar="-- CMD", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    *, destination: str | None, role: str | None, host: str | None, argv: tuple[str, ...]
) -> int:
    """Run a command in a running container of the service.

    The command's exit status is passed on. It gets a terminal where lockship has one.
    """
    from lockship.cli import lockfile
    from lockship.deploy.containers import execute

    lock = lockfile.find(Path.cwd(), destination).lock
    tty = console.is_terminal(sys.stdin) and console.is_terminal(sys.stdout)
    return execute(lock, role=role, host=host, argv=argv, tty=tty)
