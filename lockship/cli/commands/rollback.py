"""`lockship rollback`."""

from __future__ import annotations

from pathlib import Path

import click

from lockship.cli import options


@click.command("rollback")
@click.argument("version", required=False)
@options.destination
@options.plan
@options.wait
@options.commit
@options.skip_hooks
@click.option(
    "-m", "--message", "reason", metavar="REASON", help="Commit the lockfile, and say why."
)
@options.as_json
def command(
    *,
    version: str | None,
    destination: str | None,
    only_plan: bool,
    wait: bool,
    commit: bool | None,
    skip_hooks: frozenset[str],
    reason: str | None,
    as_json: bool,
) -> int:
    """Bring every host back to a version that it served before.

    Without VERSION it is the one before the one that serves now. The lock comes from the hosts,
    which keep the locks of the versions that they served; it becomes the lockfile.
    """
    from lockship.cli import hooks, lockfile, progress, recording, rollout
    from lockship.deploy.rollback import choose

    recording.asked_for(commit, reason)
    found = lockfile.find(Path.cwd(), destination)
    if not only_plan:
        lockfile.refuse_inside_hook(found)
        hooks.connecting(found, "rollback", quietly=as_json, skip=skip_hooks)
    with progress.shown(quietly=as_json, brief=True) as report:
        chosen = choose(found.lock, version, report=report)
    if only_plan:
        return rollout.show_plan(chosen, "rollback", as_json=as_json, skip=skip_hooks)
    return rollout.roll_back(
        found,
        chosen,
        wait=wait,
        as_json=as_json,
        commit=commit,
        reason=reason,
        skip=skip_hooks,
    )
