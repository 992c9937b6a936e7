"""`lockship prune`."""

from __future__ import annotations

from pathlib import Path

import click

from lockship.cli import options


@click.command("prune")
@click.option("--locks", is_flag=True, help="Stored locks too, beyond those that are kept.")
@options.yes
@options.quick
def command(
    *,
    locks: bool,
    yes: bool,
    host: str | None,
    only_plan: bool,
    wait: bool,
    destination: str | None,
    as_json: bool,
) -> int:
    """Remove what no rollback needs any more from the hosts.

    Stopped containers and images beyond `[deploy] retain`, and unfinished files. What runs and
    what a rollback needs stays, as do volumes, accessories and the journal. Asks first; -y says
    yes.
    """
    from lockship.cli import lockfile, operation
    from lockship.deploy.operate import tasks

    lock = lockfile.find(Path.cwd(), destination).lock
    manner = operation.Manner(yes, only_plan, wait, as_json)
    return operation.run(lock, tasks.prune(lock, host, locks=locks), manner, done="was pruned")
