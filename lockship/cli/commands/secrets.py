"""`lockship secrets`: where the service's secrets come from."""

from __future__ import annotations

from pathlib import Path

import click

from lockship.cli import console, options
from lockship.errors import EXIT_DONE, EXIT_FAILED


@click.group("secrets")
def command() -> None:
    """Check where the secrets come from.

    A deploy looks them up itself; nothing here shows a value.
    """


@command.command("check")
@options.destination
@options.as_json
def check(*, destination: str | None, as_json: bool) -> int:
    """Try each secret of the lock, and say which can be had.

    The exit status is 0 where all can, else 1.
    """
    from lockship.cli import lockfile, secrets, table
    from lockship.secrets.kind import Unresolved
    from lockship.secrets.resolve import shown

    found = lockfile.find(Path.cwd(), destination)
    outcomes = secrets.attempted(found.lock.secrets, found.root)
    verdicts = [
        (name, shown(found.lock.secrets[name]), str(each) if isinstance(each, Unresolved) else "")
        for name, each in outcomes.items()
    ]
    if as_json:
        rows = [{"name": n, "source": s, "found": not why, "why": why} for n, s, why in verdicts]
        console.data_json({"secrets": rows})
    else:
        lines = [(name, source, why or "found") for name, source, why in verdicts]
        table.show(("NAME", "SOURCE", "VERDICT"), lines, {"found": "green"})
    return EXIT_FAILED if any(why for _, _, why in verdicts) else EXIT_DONE
