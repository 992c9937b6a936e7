"""`lockship build`."""

from __future__ import annotations

from pathlib import Path

import click

from lockship.cli import console, options
from lockship.errors import LockshipError
from lockship.lock.image import what_runs


@click.command("build")
@options.destination
@options.as_json
def command(*, destination: str | None, as_json: bool) -> int:
    """Build the locked image, and push it where there is a registry.

    Reads only the lock and the git objects that it names, and writes the lock's [artifact]. What
    is built already isn't built again. The image's digest or id is printed.
    """
    from lockship.cli import lockfile, rollout
    from lockship.cli.hooks import Hooks

    found = lockfile.find(Path.cwd(), destination)
    hooks = Hooks.of(found, "build", quietly=as_json)
    found = rollout.build(found, hooks, quietly=as_json)
    lock, artifact = found.lock, found.lock.artifact
    assert artifact is not None  # noqa: S101 - `build` returns a lock with one
    if as_json:
        console.data_json({"image": lock.image.reference, "artifact": artifact})
    else:
        console.data("\n".join(what_runs(lock.image, artifact).split()))
    hooks.settle(LockshipError, "The image is built")
    return 0
