"""`lockship accessory`: what the service needs beside itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lockship.cli import console, options
from lockship.errors import EXIT_DONE, EXIT_INTERRUPTED, EXIT_REFUSED

if TYPE_CHECKING:
    from lockship.cli.lockfile import Found
    from lockship.deploy.accessory.judge import Row

_HEADER: Final = ("HOST", "ACCESSORY", "CONTAINER", "IMAGE", "STATE", "AGAINST THE LOCK")
_STYLES: Final = {"as locked": "green", "missing": "bold red", "stopped": "bold red"}
_ALL: Final = "all"
_host: Final = click.option("--host", metavar="HOST", help="Only on this host.")
_name: Final = click.argument("name", metavar="NAME", default=_ALL)
_named: Final = click.argument("name", metavar="NAME")


@click.group("accessory")
def command() -> None:
    """Run what the service needs beside itself: databases, caches.

    NAME is an accessory of the lock, or `all`. No deploy starts, stops or replaces one.
    """


@command.command("boot")
@_name
@options.quick
def boot(
    *,
    name: str,
    host: str | None,
    only_plan: bool,
    wait: bool,
    destination: str | None,
    as_json: bool,
) -> int:
    """Create what isn't there, start what doesn't run.

    What runs is left as it is, also where it differs from the lock: `reboot` replaces it.
    """
    from lockship.cli import accessories, operation
    from lockship.deploy.accessory import tasks

    found = _found(destination)
    chosen = _chosen(name)
    given = accessories.given(found, chosen, only_plan=only_plan)
    task = tasks.boot(found.lock, chosen, host, given)
    manner = operation.Manner(True, only_plan, wait, as_json)
    return operation.run(found.lock, task, manner, done="was booted")


@command.command("reboot")
@_named
@options.yes
@options.quick
def reboot(
    *,
    name: str,
    yes: bool,
    host: str | None,
    only_plan: bool,
    wait: bool,
    destination: str | None,
    as_json: bool,
) -> int:
    """Replace containers by what is locked, host after host.

    Volumes stay. The new image is fetched before the old container stops. Asks first; -y says
    yes.
    """
    from lockship.cli import accessories, operation
    from lockship.deploy.accessory import tasks

    found = _found(destination)
    chosen = _chosen(name)
    given = accessories.given(found, chosen, only_plan=only_plan)
    task = tasks.reboot(found.lock, chosen, host, given)
    manner = operation.Manner(yes, only_plan, wait, as_json)
    return operation.run(found.lock, task, manner, done="was rebooted")


@command.command("remove")
@_named
@click.option("--volumes", is_flag=True, help="Named volumes too, with all that is in them.")
@options.yes
@options.quick
def remove(
    *,
    name: str,
    volumes: bool,
    yes: bool,
    host: str | None,
    only_plan: bool,
    wait: bool,
    destination: str | None,
    as_json: bool,
) -> int:
    """Stop and remove containers, also of what the lock no longer has.

    Volumes stay, unless --volumes is given. Asks first; -y says yes.
    """
    from lockship.cli import operation
    from lockship.deploy.accessory import tasks

    lock = _found(destination).lock
    task = tasks.remove(lock, _chosen(name), host, volumes=volumes)
    manner = operation.Manner(yes, only_plan, wait, as_json)
    return operation.run(lock, task, manner, done="was removed")


@command.command("status")
@_name
@options.destination
@_host
@options.as_json
def status(*, name: str, destination: str | None, host: str | None, as_json: bool) -> int:
    """Show each host's accessories against the lock.

    The exit status is 0 where all are as locked, else 3.
    """
    from lockship.cli import progress, table
    from lockship.deploy.accessory import containers

    lock = _found(destination).lock
    with progress.shown(quietly=as_json, brief=True) as report:
        rows = containers.status(lock, _chosen(name), host=host, report=report)
    if as_json:
        console.data_json({"accessories": rows})
    else:
        shown = [_cells(row) for row in rows]
        table.show(_HEADER, shown, {row.verdict: "yellow" for row in rows} | _STYLES)
    return EXIT_DONE if all(row.verdict == "as locked" for row in rows) else EXIT_REFUSED


@command.command("logs")
@_name
@options.destination
@_host
@options.follow
@options.tail
@options.as_json
def logs(
    *,
    name: str,
    destination: str | None,
    host: str | None,
    follow: bool,
    tail: int,
    as_json: bool,
) -> int:
    """Show the last lines of accessories' logs."""
    from lockship.cli import logline, signals
    from lockship.deploy.accessory import containers

    lock = _found(destination).lock
    with signals.stopping() as stop:
        lines = containers.logs(lock, _chosen(name), host=host, follow=follow, tail=tail, stop=stop)
        for line in lines:
            logline.show(*line, as_json=as_json)
    return EXIT_INTERRUPTED if stop.is_set() else EXIT_DONE


@command.command("exec", context_settings={"allow_interspersed_args": False})
@options.destination
@_host
@_named
@click.argument("argv", metavar="-- CMD", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(*, destination: str | None, host: str | None, name: str, argv: tuple[str, ...]) -> int:
    """Run a command in an accessory's container.

    The command's exit status is passed on. It gets a terminal where lockship has one.
    """
    from lockship.deploy.accessory import containers

    words = argv[1:] if argv[0] == "--" else argv  # click takes it away only before NAME
    if not words:
        raise click.UsageError("Missing argument '-- CMD'.")
    lock = _found(destination).lock
    tty = console.is_terminal(sys.stdin) and console.is_terminal(sys.stdout)
    return containers.execute(lock, name, words, host=host, tty=tty)


def _found(destination: str | None) -> Found:
    from lockship.cli import lockfile

    return lockfile.find(Path.cwd(), destination)


def _chosen(name: str) -> str | None:
    return None if name == _ALL else name


def _cells(row: Row) -> tuple[str, ...]:
    state = row.health or row.state
    return (row.host, row.accessory, row.container, row.image, state, row.verdict)
