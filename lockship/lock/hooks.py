"""The table of a lock on deploy hooks: which scripts run around a deploy, each by its blob."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lockship.lock.names import HookScript, Seconds
from lockship.lock.table import Table

FOLDER: Final = ".lockship/hooks"  # in the locked tree, or in a service's folder there
NAMES: Final = (
    "pre-build",
    "post-build",
    "pre-connect",
    "pre-deploy",
    "pre-switch",
    "post-deploy",
    "deploy-failed",
    "post-rollback",
)
"""The moments that there are, in the order in which they come."""
EXECUTABLE: Final = "100755"


class Hooks(Table, frozen=True):
    """`timeout` is in seconds (None: lockship's own limit); each script is its mode and its blob.

    What runs is that blob, whatever the working tree holds by then.
    """

    timeout: Seconds | None = None
    pre_build: HookScript | None = None
    post_build: HookScript | None = None
    pre_connect: HookScript | None = None
    pre_deploy: HookScript | None = None
    pre_switch: HookScript | None = None
    post_deploy: HookScript | None = None
    deploy_failed: HookScript | None = None
    post_rollback: HookScript | None = None

    @property
    def blobs(self) -> dict[str, str]:
        """The locked scripts: name to the blob's id, in order."""
        found = {name: getattr(self, name.replace("-", "_")) for name in NAMES}
        return {name: said.partition(" ")[2] for name, said in found.items() if said is not None}


def folders(below: str) -> tuple[str, ...]:
    """Return where the hooks of a service in this folder ('': the root) are.

    Those at the root are for all services of a repository; one in a service's own folder takes the
    place of the root's of the same name.
    """
    return (FOLDER, f"{below}/{FOLDER}") if below else (FOLDER,)


def locked(blobs: Mapping[str, str], timeout: float | None) -> Hooks | None:
    """Return the table for these scripts, name to blob; None where there is none."""
    if not blobs:
        return None
    scripts = {name.replace("-", "_"): f"{EXECUTABLE} {blob}" for name, blob in blobs.items()}
    return Hooks(timeout=timeout, **scripts)
