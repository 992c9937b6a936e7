"""`lockship status`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lockship.cli import console, options
from lockship.errors import EXIT_DONE, EXIT_REFUSED

if TYPE_CHECKING:
    from lockship.deploy.proxy.judge import RouteRow
    from lockship.deploy.status import Status

_HEADER: Final = ("HOST", "ROLE", "CONTAINER", "VERSION", "STATE", "AGAINST THE LOCK")
_STYLES: Final = {"as locked": "green", "unreachable": "bold red", "unhealthy": "bold red"}
_UNREACHABLE: Final = "unreachable"


@click.command("status")
@options.destination
@options.as_json
def command(*, destination: str | None, as_json: bool) -> int:
    """Show what runs on each host, against the lock.

    The exit status is 0 where all of it is as locked, 3 where something drifted or a host can't
    be reached. A lock that isn't committed is said to be so, and is no drift.
    """
    from lockship.cli import lockfile, progress
    from lockship.deploy.status import status
    from lockship.history.head import is_committed

    here = lockfile.find(Path.cwd(), destination)
    committed = is_committed(here.path, here.lock)
    with progress.shown(quietly=as_json, brief=True) as report:
        found = status(here.lock, report=report)
    if as_json:
        import msgspec

        console.data_json(msgspec.to_builtins(found) | {"committed": committed})
    else:
        _show(found)
        if committed is False:
            console.say(f"{here.path.name} isn't committed")
    return EXIT_DONE if found.matches else EXIT_REFUSED


def _show(found: Status) -> None:
    from lockship.cli import boundary, table
    from lockship.cli.text import visible

    rows: list[tuple[str, ...]] = [
        (row.host, row.role, row.container, row.version, row.health or row.state, row.verdict)
        for row in found.rows
    ]
    rows += [
        (route.host, "", "route", "", _route_state(route), route.verdict) for route in found.routes
    ]
    rows += [
        (each.host, "accessory", each.container, "", each.health or each.state, each.verdict)
        for each in found.accessories
    ]
    unknown = [(each.host, "", "", "", "", _UNREACHABLE) for each in found.unreachable]
    others = dict.fromkeys(_verdicts(found), "yellow")
    table.show(_HEADER, [*rows, *unknown], others | _STYLES)
    for each in found.unreachable:
        named = (
            each.message if each.message.startswith(each.host) else f"{each.host}: {each.message}"
        )
        boundary.show(named, hint=each.hint)
    for route in found.routes:
        if route.maintenance is not None:
            said = visible(route.maintenance)
            console.say(f"{visible(route.host)}: maintenance is on: {said}")
    console.say(_verdict(found))


def _verdicts(found: Status) -> list[str]:
    return [*_services(found), *(row.verdict for row in found.accessories)]


def _services(found: Status) -> list[str]:
    return [row.verdict for row in found.rows] + [row.verdict for row in found.routes]


def _route_state(route: RouteRow) -> str:
    if route.maintenance is not None:
        return "maintenance"
    return "routed" if route.upstream else "not routed"


def _verdict(found: Status) -> str:
    if found.matches:
        return f"{found.service} is as locked: {found.version}"
    if not _verdicts(found):
        return f"no host of {found.service} could be reached: nothing is known of it"
    if all(verdict == "as locked" for verdict in _verdicts(found)):
        return f"{found.service} is as locked where hosts could be reached: {found.version}"
    if all(verdict == "as locked" for verdict in _services(found)):
        see = "`lockship accessory boot` and `reboot` bring them"
        return f"{found.service} is as locked: {found.version}; its accessories are not: {see}"
    return f"{found.service} is not as locked; `lockship deploy` brings {found.version}"
