"""`lockship init`."""

from __future__ import annotations

from pathlib import Path

import click

from lockship.cli import console, options


@click.command("init")
@click.option(
    "--from-kamal",
    metavar="FILE",
    help="Carry a configuration of Kamal's over, with its destinations: config/deploy.yml.",
)
@options.destination
@options.as_json
def command(*, from_kamal: str | None, destination: str | None, as_json: bool) -> int:
    """Write a lockship.toml that works for this repository.

    The service is named after the folder, the port comes from the Dockerfile's EXPOSE, the host
    is this machine's own engine. Nothing that is there is overwritten. In the folder of a further
    service, the file belongs to that folder.
    """
    if from_kamal is not None:
        if destination is not None:
            raise click.UsageError("--from-kamal carries all destinations over: leave -d out.")
        return _from_kamal(Path(from_kamal), as_json=as_json)
    from lockship.prepare.initial import init

    path = init(Path.cwd(), destination)
    if as_json:
        console.data_json({"path": str(path)})
        return 0
    console.data(str(path))
    console.say(f"wrote {path.name}; look through it, commit it, then run `lockship prepare`")
    return 0


def _from_kamal(path: Path, *, as_json: bool) -> int:
    """Write what Kamal's configuration comes to, and name what it doesn't."""
    from lockship.cli.lockfile import repository_root
    from lockship.cli.text import visible
    from lockship.prepare.kamal.convert import convert, write

    root = repository_root(Path.cwd())
    made = convert(path, root)
    paths = write(made, root)
    if as_json:
        left_out = [left for each in made for left in each.left]
        console.data_json({"paths": [str(each) for each in paths], "left": left_out})
        return 0
    for written, each in zip(paths, made, strict=True):
        console.data(str(written))
        for left in each.left:
            console.say(visible(f"{each.name}: {left.key}: {left.why}"))
    console.say("look through what was written, commit it, then run `lockship prepare`")
    return 0
