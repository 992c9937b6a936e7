"""`lockship start`."""

from __future__ import annotations

from pathlib import Path

import click

from lockship.cli import options


@click.command("start")
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
    """Start the locked containers that `stop` stopped.

    Each is seen healthy, and then served by the proxy again. It brings no other version: that is
    `deploy`'s. Asks first; -y says yes.
    """
    from lockship.cli import lockfile, operation
    from lockship.deploy.operate import tasks

    lock = lockfile.find(Path.cwd(), destination).lock
    manner = operation.Manner(yes, only_plan, wait, as_json)
    return operation.run(lock, tasks.start(lock, role, host), manner, done="runs")
