"""`lockship deploy`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lockship.cli import options
from lockship.errors import UsageError

if TYPE_CHECKING:
    from lockship.deploy.plan import Command


@click.command("deploy")
@options.destination
@click.option(
    "--refresh-secrets",
    is_flag=True,
    help="Look the secrets up anew, and give them to new containers of the same lock.",
)
@options.plan
@options.wait
@options.commit
@options.skip_hooks
@options.as_json
def command(
    *,
    destination: str | None,
    refresh_secrets: bool,
    only_plan: bool,
    wait: bool,
    commit: bool | None,
    skip_hooks: frozenset[str],
    as_json: bool,
) -> int:
    """Bring every host to what the lock says.

    Builds what isn't built. Every host gets the image and sees the new container healthy before
    any host switches; where one can't, none does. A deploy that was stopped is finished, or
    undone, by running it again.
    """
    from lockship.cli import lockfile, rollout

    found = lockfile.find(Path.cwd(), destination)
    if refresh_secrets and not found.lock.secrets:
        raise UsageError(
            "The lock has no secrets that could be looked up anew.",
            hint="Without --refresh-secrets this is an ordinary deploy.",
        )
    what: Command = "refresh-secrets" if refresh_secrets else "deploy"
    if only_plan:
        return rollout.show_plan(found.lock, what, as_json=as_json, skip=skip_hooks)
    return rollout.deploy(found, what, wait=wait, as_json=as_json, commit=commit, skip=skip_hooks)
