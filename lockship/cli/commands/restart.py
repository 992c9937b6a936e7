"""`lockship restart`."""

from __future__ import annotations

from pathlib import Path

import click

from lockship.cli import options


@click.command("restart")
@options.operated
def command(
    *,
    role: str | None,
    host: str | None,
    yes: bool,
    only_plan: bool,
    wait: bool,
    destination: str | None,
    as_json: bool,
) -> int:
    """Restart the locked containers, host after host.

    Behind a proxy new requests get a 503 while their host's container restarts. The next host is
    begun when the one before it is healthy. Asks first; -y says yes.
    """
    from lockship.cli import lockfile, operation
    from lockship.deploy.operate import tasks

    lock = lockfile.find(Path.cwd(), destination).lock
    manner = operation.Manner(yes, only_plan, wait, as_json)
    return operation.run(lock, tasks.restart(lock, role, host), manner, done="was restarted")
