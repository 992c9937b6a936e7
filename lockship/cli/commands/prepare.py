"""`lockship prepare`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from lockship.cli import console, options
from lockship.errors import EXIT_DONE, EXIT_REFUSED

_ALL: Final = "*"  # what --upgrade means without a name


@click.command("prepare")
@click.option("--force", is_flag=True, help="Lock a dirty tree too, as a snapshot in git.")
@click.option("--check", is_flag=True, help="Compare and write nothing; exit 3 when it is stale.")
@click.option(
    "--upgrade",
    metavar="[NAME]",
    is_flag=False,
    flag_value=_ALL,
    help="Look pins up again: all of them, or the one of NAME.",
)
@click.option("--frozen", is_flag=True, help="Look no pin up: exit 3 where one is missing.")
@click.option("--version", metavar="NAME", help="Name this content as a release.")
@options.destination
@options.as_json
def command(
    *,
    force: bool,
    check: bool,
    upgrade: str | None,
    frozen: bool,
    version: str | None,
    destination: str | None,
    as_json: bool,
) -> int:
    """Look at git and lockship.toml once, and write the lock.

    Everything after it looks at the lock only. The same content gives the same lock, byte for
    byte. A dirty tree is refused without --force. The version is printed.
    """
    if check:
        if force or frozen or upgrade is not None or version is not None:
            raise click.UsageError("--check only compares: it goes without the other options.")
        return _check(destination, as_json=as_json)
    if frozen and upgrade is not None:
        raise click.UsageError("--frozen looks nothing up, and --upgrade does: one of the two.")
    return _prepare(
        destination, force=force, upgrade=upgrade, frozen=frozen, version=version, as_json=as_json
    )


def _prepare(
    destination: str | None,
    *,
    force: bool,
    upgrade: str | None,
    frozen: bool,
    version: str | None,
    as_json: bool,
) -> int:
    from lockship.cli import progress, secrets
    from lockship.prepare.prepare import prepare

    # Not live: loading rich takes longer than preparing does.
    with progress.shown(quietly=as_json, live=False) as report:
        prepared = prepare(
            Path.cwd(),
            destination=destination,
            force=force,
            version=version,
            upgrade=upgrade,
            frozen=frozen,
            report=report,
            resolve=secrets.resolved,
        )
    if as_json:
        console.data_json(
            {
                "version": prepared.lock.service.version,
                "path": str(prepared.path),
                "changed": prepared.changed,
                "fingerprint": prepared.lock.fingerprint,
                "differences": prepared.differences,
            }
        )
        return EXIT_DONE
    from lockship.cli import summary

    for line in summary.prepared_lines(prepared):
        console.say(line)
    console.data(prepared.lock.service.version)
    return EXIT_DONE


def _check(destination: str | None, *, as_json: bool) -> int:
    from lockship.cli.differences import difference_lines
    from lockship.cli.text import visible
    from lockship.prepare.prepare import check

    checked = check(Path.cwd(), destination=destination)
    fresh = not checked.differences
    if as_json:
        console.data_json(
            {"fresh": fresh, "path": str(checked.path), "differences": checked.differences}
        )
    else:
        for line in difference_lines(checked.differences):
            console.data(line)
        state = "is fresh" if fresh else "is stale; `lockship prepare` writes it anew"
        for note in checked.notes:
            console.say(visible(note))
        console.say(f"{checked.path.name} {state}")
    return EXIT_DONE if fresh else EXIT_REFUSED
