"""`lockship mutex`: who is at work on the hosts, and how to end that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lockship.cli import console, options
from lockship.cli.text import visible
from lockship.errors import EXIT_DONE, EXIT_REFUSED

if TYPE_CHECKING:
    from lockship.deploy.holders import Mutexes, Row
    from lockship.lock.model import Lock

_HEADER: Final = ("HOST", "MUTEX", "HELD BY", "SINCE", "VERSION", "LAST HEARTBEAT")
_STYLES: Final = {"free": "green", "held": "yellow", "unreachable": "bold red"}
_host: Final = click.option("--host", metavar="HOST", help="Only the mutex of this host.")


@click.group("mutex")
def command() -> None:
    """See and break the mutex that a deploy holds on its hosts.

    It is free as soon as the deploy ends, however it ends, and within 15 seconds where a deploy is
    frozen or cut off. Nothing needs to be cleaned up.
    """


@command.command("status")
@options.destination
@_host
@options.as_json
def status(*, destination: str | None, host: str | None, as_json: bool) -> int:
    """Show for each host whether its mutex is free, or who holds it.

    The exit status is 0 where every host could be asked, else 3.
    """
    found = _look(_lock(destination), host, as_json=as_json)
    if as_json:
        shown = {"service": found.service, "hosts": found.rows, "unreachable": found.unreachable}
        console.data_json(shown)
    else:
        _show(found)
    return EXIT_REFUSED if found.unreachable else EXIT_DONE


@command.command("break")
@options.destination
@_host
@options.yes
@options.as_json
def break_(*, destination: str | None, host: str | None, yes: bool, as_json: bool) -> int:
    """End another deploy's hold on the hosts; it stops before its next step.

    It can't take back what it has done, so hosts may be left in between: `lockship deploy` then
    finishes the job. Asks first; -y says yes.
    """
    from lockship.cli import progress, question
    from lockship.deploy import holders

    if not yes:
        question.require_terminal("mutex break", "Say yes with -y; see `lockship mutex status`.")
    lock = _lock(destination)
    found = _look(lock, host, as_json=as_json)
    if found.held and not yes:
        question.ask("mutex break", [*_lines(found), "", *_CONSEQUENCES])
    with progress.shown(quietly=as_json, brief=True) as report:
        ended = holders.end_all(lock, found.held, report=report)
    broken = [name for name, outcome in ended.items() if outcome == "broken"]
    if as_json:
        console.data_json({"broken": broken, "unreachable": found.unreachable})
    else:
        _tell_unreachable(found)
        for name, outcome in ended.items():
            if outcome != "broken":
                told = "was freed meanwhile" if outcome == "free" else "is another deploy's by now"
                console.say(f"{visible(name)}: {told}; nothing was done there")
        console.say(f"broken on {', '.join(map(visible, broken)) or 'no host: nobody holds it'}")
    return EXIT_REFUSED if found.unreachable else EXIT_DONE


_CONSEQUENCES: Final = (
    "That deploy stops before its next step and takes nothing back.",
    "`lockship deploy` then finishes the job.",
)


def _lock(destination: str | None) -> Lock:
    from lockship.cli import lockfile

    return lockfile.find(Path.cwd(), destination).lock


def _look(lock: Lock, host: str | None, *, as_json: bool) -> Mutexes:
    from lockship.cli import progress
    from lockship.deploy import holders

    with progress.shown(quietly=as_json, brief=True) as report:
        return holders.look(lock, host=host, report=report)


def _show(found: Mutexes) -> None:
    from lockship.cli import table

    rows = [
        (row.host, row.state, row.performer, row.since, row.version, _ago(row))
        for row in found.rows
    ]
    unknown = [(each.host, "unreachable", "", "", "", "") for each in found.unreachable]
    table.show(_HEADER, [*rows, *unknown], _STYLES)
    _tell_unreachable(found)


def _tell_unreachable(found: Mutexes) -> None:
    from lockship.cli import boundary

    for each in found.unreachable:
        named = each.message.removeprefix(f"{each.host}: ")
        boundary.show(f"{each.host}: {named}", hint=each.hint)


def _lines(found: Mutexes) -> list[str]:
    return [
        visible(
            f"{row.host}: {row.performer or 'somebody'} since {row.since or '?'},"
            f" version {row.version or '?'}, last heartbeat {_ago(row)}"
        )
        for row in found.rows
        if row.state == "held"
    ]


def _ago(row: Row) -> str:
    return "" if row.heartbeat is None else f"{row.heartbeat} s ago"
