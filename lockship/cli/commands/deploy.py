"""`lockship deploy`."""

from __future__ import annotations

from pathlib import Path

import click

from lockship.cli import options


@click.command("deploy")
@options.destination
@options.plan
@options.wait
@options.as_json
def command(*, destination: str | None, only_plan: bool, wait: bool, as_json: bool) -> int:
    """Bring every host to what the lock says.

    Builds what isn't built. Every host gets the image and sees the new container healthy before
    any host switches; where one can't, none does. A deploy that was stopped is finished, or
    undone, by running it again.
    """
    from lockship.cli import lockfile, rollout

    found = lockfile.find(Path.cwd(), destination)
    if only_plan:
        return rollout.show_plan(found.lock, "deploy", as_json=as_json)
    return rollout.deploy(found, wait=wait, as_json=as_json)
