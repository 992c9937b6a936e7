"""Kamal's hooks: which are there, and what they are called here."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lockship.prepare.kamal.draft import Draft

_SAME: Final = ("pre-connect", "pre-build", "pre-deploy", "post-deploy")
_OTHER: Final = {
    "pre-app-boot": "pre-switch runs once every new container is healthy, before any host switches",
    "post-app-boot": "post-deploy runs once every host has switched",
    "pre-proxy-reboot": "`lockship proxy reboot` runs no hook",
    "post-proxy-reboot": "`lockship proxy reboot` runs no hook",
    "docker-setup": "`lockship server bootstrap` installs Docker, and runs no hook",
}


def explain(draft: Draft, root: Path, folder: str) -> None:
    """Name each hook that is there: they are programs, which a person has to look through."""
    try:
        names = sorted(each.name for each in (root / folder).iterdir() if each.is_file())
    except (OSError, ValueError):  # ValueError: no path can hold a NUL
        return
    for name in names:
        if name.endswith(".sample"):
            continue
        if name in _SAME:
            why = (
                f"`git mv {folder}/{name} .lockship/hooks/{name}`: it gets the KAMAL_ variables "
                "too, and what runs is what was locked"
            )
        else:
            why = _OTHER.get(name, "there is no such hook")
        draft.leave((f"{folder}/{name}",), why)
