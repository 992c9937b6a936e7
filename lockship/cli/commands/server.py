"""`lockship server`: whether the lock's servers are ready, and making them so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lockship.cli import console, options
from lockship.errors import EXIT_DONE, EXIT_FAILED

if TYPE_CHECKING:
    from lockship.deploy.servers.plans import Lacks

_HEADER: Final = ("HOST", "WHAT", "FOUND", "VERDICT")
_STYLES: Final = {"ok": "green", "warning": "yellow", "failed": "bold red"}


@click.group("server")
def command() -> None:
    """Check the lock's servers, and install Docker on them."""


@command.command("check")
@options.host
@options.destination
@options.as_json
def check(*, host: str | None, destination: str | None, as_json: bool) -> int:
    """Say of each host whether it is ready for what the lock puts there.

    Looked at are the login and the host's key, the engine, the platform against the image's, free
    disk space, published ports, the clock, and the tools that the mutex needs. Nothing is changed.
    The exit status is 0 where nothing failed, else 1.
    """
    from lockship.cli import lockfile, progress, table
    from lockship.deploy.fleet import every_host
    from lockship.deploy.servers.check import check as check_servers

    lock = lockfile.find(Path.cwd(), destination).lock
    with progress.shown(quietly=as_json, brief=True) as report:
        found = check_servers(lock, every_host(lock, host), report=report)
    if as_json:
        console.data_json(found)
    else:
        rows = [(each.host, each.what, each.said, each.verdict) for each in found.checks]
        table.show(_HEADER, rows, _STYLES)
        for each in found.checks:
            if each.hint:
                console.say(f"{each.host}: {each.what}: {each.hint}")
    return EXIT_DONE if found.ready else EXIT_FAILED


@command.command("bootstrap")
@options.host
@options.yes
@options.plan
@options.destination
@options.as_json
def bootstrap(
    *, host: str | None, yes: bool, only_plan: bool, destination: str | None, as_json: bool
) -> int:
    """Install Docker on the hosts that have none, and start it.

    By the packages of the system itself: Debian, Ubuntu, Fedora and Alpine. Shows every command and
    asks first (-y in scripts). Run it as often as you like: what is there is left as it is.
    """
    from lockship.cli import lockfile, progress, question, signals
    from lockship.deploy.fleet import every_host
    from lockship.deploy.servers import bootstrap as servers
    from lockship.errors import RefusedError

    lock = lockfile.find(Path.cwd(), destination).lock
    if not only_plan and not yes:
        question.require_terminal("server bootstrap", "Say yes with -y; `--plan` shows it first.")
    with progress.shown(quietly=as_json, brief=True) as report:
        found = servers.look(lock, every_host(lock, host), report=report)
    refused = [each for each in found if each.refused]
    if only_plan or refused:
        _show(found, as_json=as_json)
    if refused:
        raise RefusedError(
            f"{len(refused)} of {len(found)} hosts can't be set up by lockship; nothing was done.",
            details=[f"{each.host}: {each.refused}" for each in refused],
            hint="\n".join(dict.fromkeys(each.hint for each in refused)),
        )
    if only_plan:
        return EXIT_DONE
    changed = any(each.commands for each in found)
    if changed and not yes:
        question.ask("server bootstrap", _lines(found))
    with (
        signals.stopping(
            first="stopping after the command under way; once more stops at once",
            second="stopped at once; the same command goes on where it was",
        ) as stop,
        progress.shown(quietly=as_json) as report,
    ):
        servers.bootstrap(lock, found, stop=stop, report=report)
    if as_json:
        console.data_json({"changed": changed, "hosts": found})
    else:
        hosts = ", ".join(each.host for each in found)
        console.say(f"{hosts}: {'ready' if changed else 'ready already; nothing was to be done'}")
    return EXIT_DONE


def _show(found: tuple[Lacks, ...], *, as_json: bool) -> None:
    if as_json:
        console.data_json({"changed": False, "hosts": found})
        return
    for line in _lines(found):
        console.data(line)


def _lines(found: tuple[Lacks, ...]) -> list[str]:
    from lockship.cli.text import visible

    lines = []
    for each in found:
        nothing = each.refused or "nothing to do"
        steps = [f"{' '.join(step.argv)}  ({step.why})" for step in each.commands]
        lines += [visible(each.host), *(f"  {visible(step)}" for step in steps or [nothing])]
    return lines
