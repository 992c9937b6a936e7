"""`lockship proxy`: the hosts' proxy, without a deploy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lockship.cli import console, options
from lockship.errors import EXIT_DONE, EXIT_INTERRUPTED, EXIT_REFUSED

if TYPE_CHECKING:
    from lockship.lock.model import Lock

_HEADER: Final = ("HOST", "STATE", "IMAGE", "SERVICE", "SERVES", "UPSTREAM", "AGAINST THE LOCK")
_STYLES: Final = {"as locked": "green", "missing": "bold red", "stopped": "bold red"}
_TAB: Final = "\t"
_host: Final = click.option("--host", metavar="HOST", help="Only the proxy of this host.")


@click.group("proxy")
def command() -> None:
    """Manage the proxy that the services of a host share.

    A deploy boots it where it isn't there; nothing else is needed. Each acts on the hosts of the
    lock's role behind the proxy.
    """


@command.command("boot")
@options.destination
@_host
@options.as_json
def boot(*, destination: str | None, host: str | None, as_json: bool) -> int:
    """Start the proxy where it doesn't run."""
    from lockship.cli import progress
    from lockship.deploy.proxy import manage

    lock = _lock(destination)
    with progress.shown(quietly=as_json) as report:
        started = manage.boot(lock, host=host, report=report)
    return _told("booted", started, as_json=as_json)


@command.command("reboot")
@options.destination
@_host
@options.as_json
def reboot(*, destination: str | None, host: str | None, as_json: bool) -> int:
    """Replace the proxy by one with the lock's settings, and keep all services' routes.

    The new one is tried first. Then the old one ends, and for about a second nobody answers.
    """
    from lockship.cli import progress
    from lockship.deploy.proxy import manage

    lock = _lock(destination)
    with progress.shown(quietly=as_json) as report:
        done = manage.reboot(lock, host=host, report=report)
    return _told("rebooted", done, as_json=as_json)


@command.command("remove")
@options.destination
@_host
@click.option("--force", is_flag=True, help="Also where services are routed through it.")
@options.as_json
def remove(*, destination: str | None, host: str | None, force: bool, as_json: bool) -> int:
    """Stop and remove the proxy; the routes' files stay."""
    from lockship.cli import progress
    from lockship.deploy.proxy import manage

    lock = _lock(destination)
    with progress.shown(quietly=as_json) as report:
        gone = manage.remove(lock, host=host, force=force, report=report)
    return _told("removed", gone, as_json=as_json)


@command.command("status")
@options.destination
@_host
@options.as_json
def status(*, destination: str | None, host: str | None, as_json: bool) -> int:
    """Show each host's proxy against the lock, and whom it serves.

    The exit status is 0 where every host's is as locked, else 3.
    """
    from lockship.cli import progress, table
    from lockship.deploy.proxy import manage

    lock = _lock(destination)
    with progress.shown(quietly=as_json, brief=True) as report:
        rows = manage.status(lock, host=host, report=report)
    if as_json:
        console.data_json({"hosts": rows})
    else:
        shown = [
            (
                row.host,
                row.state,
                row.image,
                each.project,
                " ".join(each.claims),
                each.upstream,
                row.verdict,
            )
            for row in rows
            for each in row.routes or (manage.RouteRow("", (), ""),)
        ]
        table.show(_HEADER, shown, {row.verdict: "yellow" for row in rows} | _STYLES)
    return EXIT_DONE if all(row.verdict == "as locked" for row in rows) else EXIT_REFUSED


@command.command("logs")
@options.destination
@_host
@options.follow
@click.option(
    "-n",
    "--tail",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    metavar="LINES",
    help="How many of each host's last lines.",
)
@options.as_json
def logs(
    *, destination: str | None, host: str | None, follow: bool, tail: int, as_json: bool
) -> int:
    """Show the last lines of the proxy's log on each host."""
    from lockship.cli import signals
    from lockship.cli.text import visible
    from lockship.deploy.proxy import manage

    lock = _lock(destination)
    with signals.stopping() as stop:
        for name, line in manage.logs(lock, host=host, follow=follow, tail=tail, stop=stop):
            if as_json:
                console.data_json({"host": name, "line": line.decode(errors="backslashreplace")})
            elif console.is_terminal(sys.stdout):
                console.data(f"{visible(name)} | {visible(line, keep=_TAB)}")
            else:
                console.data_bytes(f"{name} | ".encode() + line)
    return EXIT_INTERRUPTED if stop.is_set() else EXIT_DONE


def _lock(destination: str | None) -> Lock:
    from lockship.cli import lockfile

    return lockfile.find(Path.cwd(), destination).lock


def _told(what: str, hosts: list[str], *, as_json: bool) -> int:
    if as_json:
        console.data_json({what: hosts})
    else:
        console.say(f"the proxy was {what} on {', '.join(hosts) if hosts else 'no host'}")
    return EXIT_DONE
