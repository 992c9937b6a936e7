"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., object])


def _check_destination(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> str | None:
    """Refuse what is no name: a destination becomes part of a file's name."""
    if value is None:
        return None
    from lockship.lock.names import is_lockfile_name, lockfile_name

    if not value or not is_lockfile_name(lockfile_name(value).encode(errors="replace")):
        raise click.BadParameter(f"'{value}' is none: lower-case letters, digits, '-' and '_'.")
    return value


destination: Final = click.option(
    "-d",
    "--destination",
    callback=_check_destination,
    metavar="NAME",
    help="Use .shiplock.NAME (and lockship.NAME.toml) instead of .shiplock.",
)
as_json: Final = click.option("--json", "as_json", is_flag=True, help="Print the data as JSON.")
plan: Final = click.option(
    "--plan", "only_plan", is_flag=True, help="Print the steps for each host and change nothing."
)
wait: Final = click.option(
    "--wait", is_flag=True, help="Wait for a deploy that is under way instead of failing."
)


def _check_hooks(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> frozenset[str]:
    from lockship.cli.lockedhooks import asked_for

    return asked_for(value)


skip_hooks: Final = click.option(
    "--skip-hooks",
    callback=_check_hooks,
    metavar="NAME,...",
    help="In an emergency, don't run these deploy hooks, or 'all'; that is recorded.",
)
commit: Final = click.option(
    "--commit/--no-commit",
    default=None,
    help="Commit the lockfile alone, with how it ended; [deploy] commit says it for good.",
)
role: Final = click.option("--role", metavar="ROLE", help="Only containers of this role.")
host: Final = click.option("--host", metavar="HOST", help="Only containers on this host.")
follow: Final = click.option(
    "-f", "--follow", is_flag=True, help="Go on showing new lines until Ctrl-C."
)
tail: Final = click.option(
    "-n",
    "--tail",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    metavar="LINES",
    help="How many earlier lines of each container.",
)
yes: Final = click.option("-y", "--yes", is_flag=True, help="Don't ask; for scripts.")


def operated(command: Decorated) -> Decorated:
    """Add the options of a command that acts on what is deployed, and asks before it does."""
    for option in (as_json, destination, wait, plan, yes, host, role):
        command = option(command)
    return command


def quick(command: Decorated) -> Decorated:
    """Add the options of a command that acts on what is deployed without asking."""
    for option in (as_json, destination, wait, plan, host):
        command = option(command)
    return command
