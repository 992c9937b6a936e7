"""`lockship audit log`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lockship.cli import options
from lockship.cli.audit import selection
from lockship.errors import EXIT_DONE

if TYPE_CHECKING:
    from lockship.audit.entry import Entry
    from lockship.git import Repository

_FORMATS: Final = "--json and --csv are two formats: give one."


@click.command("log")
@selection.narrowed
@click.option("--at", metavar="TIME", help="What was locked then, one line for each lockfile.")
@click.option(
    "--everywhere", is_flag=True, help="Also folders that hold no lockfile any more (slower)."
)
@click.option("--signatures", is_flag=True, help="Ask git whether each signature is good.")
@click.option(
    "-n", "--lines", type=click.IntRange(min=1), metavar="NUMBER", help="Only the newest NUMBER."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print the data as CSV.")
@options.as_json
def command(
    *,
    since: str | None,
    until: str | None,
    at: str | None,
    service: str | None,
    destination: str | None,
    author: str | None,
    version: str | None,
    host: str | None,
    ref: str | None,
    every: bool,
    everywhere: bool,
    signatures: bool,
    lines: int | None,
    as_csv: bool,
    as_json: bool,
) -> int:
    """List every lockfile state and recorded deploy in history, newest first.

    Only committed lockfiles count. Times are those that the commits claim.
    """
    from lockship.audit.select import chosen, moment
    from lockship.cli.audit import listing, look
    from lockship.git import Repository

    if as_csv and as_json:
        raise click.UsageError(_FORMATS)
    if every and (ref or at):
        raise click.UsageError("--all goes with neither --ref nor --at.")
    repository = Repository.discover(Path.cwd())
    now = datetime.now().astimezone()
    wanted = selection.wanted(
        now, since, until, service=service, destination=destination, author=author,
        version=version, host=host,
    )  # fmt: skip
    if at is not None:
        found = _at(repository, ref, moment(at, now, end=True), everywhere=everywhere)
    else:
        tips = selection.tips(repository, ref, every)
        found = look.entries_of(repository, tips, everywhere=everywhere)
    shown = chosen(found, wanted)[:lines]
    listing.show(look.rows_of(repository, shown, check=signatures), as_json=as_json, as_csv=as_csv)
    return EXIT_DONE


def _at(repository: Repository, ref: str | None, when: int, *, everywhere: bool) -> list[Entry]:
    """Return what was locked at a time: the newest state of each lockfile that was there then.

    Where its deploy is recorded as failed, what served on follows it: the state before.
    """
    from lockship.audit import revisions
    from lockship.audit.standing import serving, standing
    from lockship.cli.audit import look

    commit = revisions.as_of(repository, revisions.tip(repository, ref or "HEAD"), when)
    if commit is None:
        return []
    found = look.entries_of(repository, [commit], everywhere=everywhere, remember=False)
    with repository.objects() as objects:
        return [each for one in standing(objects, commit, found) for each in serving(found, one)]
