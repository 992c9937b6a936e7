"""`lockship stop`."""

from __future__ import annotations

from pathlib import Path

import click

from lockship.cli import options


@click.command("stop")
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
    """Stop the service's containers, until `start` or a deploy.

    Behind a proxy new requests get a 503 at once, and those in flight end before the containers
    do. Asks first; -y says yes.
    """
    from lockship.cli import lockfile, operation
    from lockship.deploy.operate import tasks

    lock = lockfile.find(Path.cwd(), destination).lock
    manner = operation.Manner(yes, only_plan, wait, as_json)
    return operation.run(lock, tasks.stop(lock, role, host), manner, done="is stopped")
