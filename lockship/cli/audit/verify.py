"""`lockship audit verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lockship.cli import console, options
from lockship.cli.text import visible
from lockship.errors import EXIT_DONE, EXIT_REFUSED

if TYPE_CHECKING:
    from lockship.audit.finding import Finding
    from lockship.audit.layers import Rebuilt


@click.command("verify")
@click.argument("range", required=False, metavar="RANGE")
@click.option("--all", "every", is_flag=True, help="The locks of all branches and tags.")
@click.option("--hosts", is_flag=True, help="Read every host's journal and containers as well.")
@click.option("--registry", is_flag=True, help="Look whether the registry has what was locked.")
@click.option(
    "--rebuild", metavar="VERSION", help="Build this version again, and compare the image."
)
@options.destination
@options.as_json
def command(
    *,
    range: str | None,  # noqa: A002
    every: bool,
    hosts: bool,
    registry: bool,
    rebuild: str | None,
    destination: str | None,
    as_json: bool,
) -> int:
    """Check every committed lock, and what it names.

    RANGE is a branch, a tag, a commit, or A..B for what B has and A hasn't; HEAD where it isn't
    given. Exits 0 where all holds, 3 where something doesn't.
    """
    from lockship.audit import revisions
    from lockship.cli import progress
    from lockship.cli.audit import look
    from lockship.git import Repository

    if every and range:
        raise click.UsageError("--all goes without a RANGE.")
    repository = Repository.discover(Path.cwd())
    asked = (
        revisions.every_tip(repository) if every else revisions.part(repository, range or "HEAD")
    )
    found = look.of_destination(look.everything(repository, asked), destination)
    findings = look.verified(repository, found, asked)
    with progress.shown(quietly=as_json, brief=True) as report:
        if registry:
            from lockship.cli.audit.registry import verify_registry

            findings += verify_registry(found, destination)
        if hosts:
            from lockship.cli.audit.hosts import verify_hosts

            findings += verify_hosts(found, report)
    rebuilt = None
    if rebuild is not None:
        from lockship.cli.audit.rebuild import told, verify_rebuild

        rebuilt, differing = verify_rebuild(
            repository, found, rebuild, destination, quietly=as_json
        )
        findings += differing
        if rebuilt is not None and not as_json:
            console.say(visible(told(rebuilt)))
    _show(
        findings,
        locks=len([each for each in found if each.blob]),
        rebuilt=rebuilt,
        as_json=as_json,
    )
    return EXIT_REFUSED if findings else EXIT_DONE


def _show(findings: list[Finding], *, locks: int, rebuilt: Rebuilt | None, as_json: bool) -> None:
    if as_json:
        again = {"rebuilt": rebuilt} if rebuilt is not None else {}
        console.data_json({"holds": not findings, "locks": locks, "findings": findings} | again)
        return
    for each in findings:
        where = (each.host, each.commit and each.commit[:12], each.path, each.version, each.field)
        console.data(f"{visible(' '.join(w for w in where if w))}: {visible(each.what)}")
        if each.hint:
            console.data(f"  {visible(each.hint)}")
    checked = f"{locks} lockfile state{'s' if locks != 1 else ''} checked"
    many = len(findings) != 1
    wrong = f"{len(findings)} {'things don' if many else 'thing doesn'}'t hold"
    console.say(f"{checked}: {wrong if findings else 'all holds'}")
