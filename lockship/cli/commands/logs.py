"""`lockship logs`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from lockship.cli import console, options
from lockship.errors import EXIT_DONE, EXIT_INTERRUPTED

_TAB: Final = "\t"


@click.command("logs")
@options.destination
@options.role
@options.host
@options.follow
@click.option(
    "-n",
    "--tail",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    metavar="LINES",
    help="How many earlier lines of each container.",
)
@options.as_json
def command(
    *,
    destination: str | None,
    role: str | None,
    host: str | None,
    follow: bool,
    tail: int,
    as_json: bool,
) -> int:
    """Show the logs of the service's containers.

    Each line begins with its host and container. In a pipe the rest of the line is as the
    container wrote it; on a terminal control characters are made visible.
    """
    from lockship.cli import lockfile, signals
    from lockship.deploy.containers import logs

    lock = lockfile.find(Path.cwd(), destination).lock
    with signals.stopping() as stop:
        lines = logs(lock, role=role, host=host, follow=follow, tail=tail, stop=stop)
        for where, container, line in lines:
            _print(where, container, line.rstrip(b"\r\n"), as_json=as_json)
    return EXIT_INTERRUPTED if stop.is_set() else EXIT_DONE


def _print(host: str, container: str, line: bytes, *, as_json: bool) -> None:
    from lockship.cli.text import visible

    if as_json:
        text = line.decode(errors="backslashreplace")
        console.data_json({"host": host, "container": container, "line": text})
    elif console.is_terminal(sys.stdout):
        console.data(f"{visible(host)} {visible(container)} | {visible(line, keep=_TAB)}")
    else:
        console.data_bytes(f"{host} {container} | ".encode() + line)
