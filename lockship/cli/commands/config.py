"""`lockship config`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lockship.cli import console, options
from lockship.errors import EXIT_DONE

if TYPE_CHECKING:
    from lockship.prepare.resolved import Resolved, Value


@click.command("config")
@click.option("--force", is_flag=True, help="Read the working tree, as `prepare --force` does.")
@options.destination
@options.as_json
def command(*, force: bool, destination: str | None, as_json: bool) -> int:
    """Show the configuration, and where each value is said.

    It is read where `prepare` reads it: in the commit that is checked out. That the working tree
    says something else is told. Of secrets it has the sources, never a value.
    """
    from lockship.prepare.resolved import resolve

    found = resolve(Path.cwd(), destination=destination, force=force)
    if as_json:
        console.data_json(found)
        return EXIT_DONE
    _show(found)
    return EXIT_DONE


def _show(found: Resolved) -> None:
    from lockship.cli import table
    from lockship.cli.text import visible

    rows = [(value.key, _written(value.value), _said(value)) for value in found.values]
    table.show(("KEY", "VALUE", "FROM"), rows)
    differ = visible(" and ".join(found.differ))
    where = f"commit {found.commit[:12]}"
    if not found.differ:
        console.say(f"read from {where}")
    elif found.forced:
        console.say(f"read from the working tree; {differ} isn't so in {where}")
    else:
        console.say(
            f"read from {where}; {differ} in the working tree differs: commit it, or see it with "
            "--force"
        )


def _said(value: Value) -> str:
    return f"{value.file}:{value.line}" if value.file is not None else "default"


def _written(value: Any) -> str:
    """Write a value as TOML does: JSON is the same for what has no tables in it."""
    import msgspec

    whole = isinstance(value, float) and value.is_integer()
    return msgspec.json.encode(int(value) if whole else value).decode()
