"""The images that a build begins with: exactly those that the lock pins.

BuildKit reads a copy of the Dockerfile in which each one has its digest: a named build context
would do the same, but only buildx has those. An image that is in no registry has none; of it the
engine's own is compared with the lock, before the build and after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from lockship.build.client import Client, answer
from lockship.dockerfile.images import Use, images
from lockship.dockerfile.pinned import pinned
from lockship.errors import RefusedError
from lockship.host.engine import Engine
from lockship.lock.image import LockedBuild
from lockship.lock.mirrors import mirrored

_LOCAL: Final = "id:"


def with_digests(
    dockerfile: Path,
    build: LockedBuild,
    folder: Path,
    mirrors: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Return the path of the Dockerfile with the lock's digests: a copy in `folder`, made here.

    What one of `mirrors` has is named there: the digest is the same, and so is the image.
    Its lines are the same lines; where it has no digest to add, the file itself serves. Raises
    RefusedError where the lock lacks a pin.
    """
    text = dockerfile.read_bytes().decode("utf-8", "surrogateescape")
    uses, _ = images(text, build.args, build.platforms)
    _refuse_missing(uses, build.base, dockerfile.name)
    named = {
        name: name if pin.startswith(_LOCAL) else mirrored(f"{name}@{pin}", mirrors)
        for name, pin in build.base.items()
    }
    changed = pinned(text, uses, named)
    if changed == text:
        return dockerfile
    # The same name: BuildKit shows it, and looks for NAME.dockerignore beside it.
    copy = folder / dockerfile.name
    folder.mkdir()
    copy.write_bytes(changed.encode("utf-8", "surrogateescape"))
    ignore = Path(f"{dockerfile}.dockerignore")
    if ignore.is_file():
        Path(f"{copy}.dockerignore").write_bytes(ignore.read_bytes())
    return copy


def refuse_blind_builder(client: Client, env: Mapping[str, str], base: Mapping[str, str]) -> None:
    """Raise RefusedError where the build would not see the engine's own images, but a registry's.

    Of buildx's builders only the driver `docker` builds in the engine itself.
    """
    local = [name for name, pin in base.items() if pin.startswith(_LOCAL)]
    if not client.buildx or not local:
        return
    driver = driver_of(answer(client.path, env, "buildx", "inspect") or "")
    if driver != "docker":
        raise RefusedError(
            f"{', '.join(local)} is in this engine alone, and buildx builds elsewhere"
            f" (driver {driver or 'unknown'}).",
            hint="Build in the engine (`docker buildx use default`), or push that image to a"
            " registry and prepare again.",
        )


def driver_of(said: str) -> str:
    """Return the driver that `docker buildx inspect` names; '' where it names none."""
    found = re.search(r"^Driver:\s+(\S+)", said, re.MULTILINE)
    return found[1] if found else ""


def check_local(engine: Engine, base: Mapping[str, str]) -> None:
    """Raise RefusedError where the engine has another image under a name than the pinned one."""
    for name, pin in base.items():
        if not pin.startswith(_LOCAL):
            continue
        here = engine.image(name)
        if here is not None and here.id == pin.removeprefix(_LOCAL):
            continue
        now = here.id if here else "not here"
        raise RefusedError(
            f"{name} isn't the image that is locked, and no registry has it.",
            details=[f"locked: {pin.removeprefix(_LOCAL)}", f"now:    {now}"],
            hint=f"Load the locked one here, or lock this one: `lockship prepare --upgrade {name}`."
            if here
            else "Load it here from where the lock was prepared: `docker save`, `docker load`.",
        )


def _refuse_missing(uses: Iterable[Use], base: Mapping[str, str], name: str) -> None:
    missing = {use.reference: use for use in uses if use.reference not in base}
    if missing:
        raise RefusedError(
            f"The lock has no pin for {', '.join(missing)}.",
            details=[f"{name}:{use.line}: {use.reference}" for use in missing.values()],
            hint="It was written before images were pinned; `lockship prepare` looks them up.",
        )
