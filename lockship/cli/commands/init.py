"""`lockship init`."""

from __future__ import annotations

from pathlib import Path

import click

from lockship.cli import console, options


@click.command("init")
@options.destination
@options.as_json
def command(*, destination: str | None, as_json: bool) -> int:
    """Write a lockship.toml that works for this repository.

    The service is named after the folder, the port comes from the Dockerfile's EXPOSE, the host
    is this machine's own engine. Nothing that is there is overwritten. In the folder of a further
    service, the file belongs to that folder.
    """
    from lockship.prepare.initial import init

    path = init(Path.cwd(), destination)
    if as_json:
        console.data_json({"path": str(path)})
        return 0
    console.data(str(path))
    console.say(f"wrote {path.name}; look through it, commit it, then run `lockship prepare`")
    return 0
