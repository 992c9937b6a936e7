"""What a deploy hook is told: variables of its environment, all from the lock. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from lockship.git import of_no_repository
from lockship.lock.image import what_runs
from lockship.lock.model import Lock

LOCKFILE: Final = "LOCKSHIP_LOCKFILE"
FOLDER: Final = "LOCKSHIP_FOLDER"
HOOK: Final = "LOCKSHIP_HOOK"
_OURS: Final = ("LOCKSHIP_", "KAMAL_")


class Occasion(Struct, frozen=True):
    """What a hook is told beside the lock: the command that it runs in, and how far that is.

    `recorded_at` is when the command began, `runtime` the seconds since; `previous` the version
    that served before ('' while no host was asked); `error` what failed ('' where nothing did).
    """

    command: str
    performer: str
    recorded_at: str
    runtime: float = 0.0
    previous: str = ""
    error: str = ""


def environment(
    outer: Mapping[str, str], lock: Lock, occasion: Occasion, *, name: str, folder: Path, copy: Path
) -> dict[str, str]:
    """Return the environment of the hook `name`; `copy` is where it finds the lock.

    `folder` is where the service's own files are.

    It is the `outer` one, without what an outer git command or another lockship set there.
    """
    told = {
        "VERSION": lock.service.version,
        "SERVICE": lock.service.name,
        "DESTINATION": lock.service.destination or "",
        "HOSTS": ",".join(dict.fromkeys(h for role in lock.roles.values() for h in role.hosts)),
        "ROLES": ",".join(lock.roles),
        "COMMAND": occasion.command,
        "PERFORMER": occasion.performer,
        "RECORDED_AT": occasion.recorded_at,
        "RUNTIME": str(round(occasion.runtime)),
    }
    ours = told | {
        "COMMIT": lock.source.commit,
        "IMAGE": _image(lock),
        "PREVIOUS_VERSION": occasion.previous,
        "ERROR": occasion.error,
    }
    # As Kamal's hooks know them (kamal-deploy.org, "Hooks"): what says nothing isn't set.
    theirs = {f"KAMAL_{key}": value for key, value in told.items() if value}
    theirs["KAMAL_SERVICE_VERSION"] = f"{lock.service.name}@{lock.service.version}"
    kept = {k: v for k, v in of_no_repository(outer).items() if not k.startswith(_OURS)}
    return {
        **kept,
        **theirs,
        **{f"LOCKSHIP_{key}": value for key, value in ours.items()},
        HOOK: name,
        FOLDER: str(folder),
        LOCKFILE: str(copy),
    }


def _image(lock: Lock) -> str:
    """Return the image by its digest or id; '' while it isn't built."""
    return what_runs(lock.image, lock.artifact) if lock.artifact else ""
