"""`lockship maintenance`: a page instead of the service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lockship.cli import options

if TYPE_CHECKING:
    from lockship.lock.model import Lock


@click.group("maintenance")
def command() -> None:
    """Show a maintenance page instead of the service.

    On the hosts of the role behind the proxy. The containers go on running, and a deploy goes on
    behind the page.
    """


@command.command("on")
@click.option("--message", metavar="TEXT", help="What the page says; plain text.")
@options.quick
def on(
    *,
    message: str | None,
    host: str | None,
    only_plan: bool,
    wait: bool,
    destination: str | None,
    as_json: bool,
) -> int:
    """Answer every request with a page and the status 503, until `off`."""
    from lockship.cli import operation
    from lockship.deploy.operate import tasks
    from lockship.deploy.proxy.maintenance import DEFAULT

    lock = _lock(destination)
    task = tasks.maintenance_on(lock, DEFAULT if message is None else message, host)
    manner = operation.Manner(yes=True, only_plan=only_plan, wait=wait, as_json=as_json)
    return operation.run(lock, task, manner, done="shows the maintenance page")


@command.command("off")
@options.quick
def off(
    *, host: str | None, only_plan: bool, wait: bool, destination: str | None, as_json: bool
) -> int:
    """Let the service answer again."""
    from lockship.cli import operation
    from lockship.deploy.operate import tasks

    lock = _lock(destination)
    manner = operation.Manner(yes=True, only_plan=only_plan, wait=wait, as_json=as_json)
    return operation.run(lock, tasks.maintenance_off(lock, host), manner, done="serves again")


def _lock(destination: str | None) -> Lock:
    from lockship.cli import lockfile

    return lockfile.find(Path.cwd(), destination).lock
