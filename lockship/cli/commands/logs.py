"""`lockship logs`."""

from __future__ import annotations

from pathlib import Path

import click

from lockship.cli import options
from lockship.errors import EXIT_DONE, EXIT_INTERRUPTED


@click.command("logs")
@options.destination
@options.role
@options.host
@options.follow
@options.tail
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
    from lockship.cli import lockfile, logline, signals
    from lockship.deploy.containers import logs

    lock = lockfile.find(Path.cwd(), destination).lock
    with signals.stopping() as stop:
        lines = logs(lock, role=role, host=host, follow=follow, tail=tail, stop=stop)
        for line in lines:
            logline.show(*line, as_json=as_json)
    return EXIT_INTERRUPTED if stop.is_set() else EXIT_DONE
