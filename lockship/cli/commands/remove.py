"""`lockship remove`."""

from __future__ import annotations

from pathlib import Path

import click

from lockship.cli import console, options


@click.command("remove")
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
    """Remove the service from its hosts.

    Its containers, its route and, without --role, its images go. The journal, the stored locks,
    all volumes and the accessories stay. Asks first; -y says yes.
    """
    from lockship.cli import lockfile, operation
    from lockship.deploy.operate import tasks

    lock = lockfile.find(Path.cwd(), destination).lock
    manner = operation.Manner(yes, only_plan, wait, as_json)
    status = operation.run(lock, tasks.remove(lock, role, host), manner, done="was removed")
    if lock.accessories and role is None and not only_plan:
        console.say("its accessories stay; `lockship accessory remove all` takes them away")
    return status
