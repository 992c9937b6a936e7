"""Find the lock that a command is about, and write what a command adds to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from lockship.errors import LockshipError, RefusedError
from lockship.lock import reader
from lockship.lock.image import Artifact
from lockship.lock.model import Lock
from lockship.lock.names import lockfile_name
from lockship.lock.place import service_folder


class Found(Struct, frozen=True):
    """A lock, the file that it is in, and the repository's root.

    `hook` is the deploy hook in which this process runs, where the lock is that deploy's own: a
    copy, and not in the service's folder, which is `home`.
    """

    root: Path
    path: Path
    lock: Lock
    hook: str = ""
    home: Path | None = None

    @property
    def folder(self) -> Path:
        """The service's folder: the repository's root, or one below it."""
        return self.home or self.path.parent


def find(start: Path, destination: str | None) -> Found:
    """Read the lock of the service around `start`: see `service_folder`.

    Inside a deploy hook it is the lock that is being deployed, whatever the lockfile says by now;
    of another service, or where another destination is asked for, it is the one that is there.

    Raises UsageError where there is none, RefusedError where it is damaged or of another
    destination.
    """
    root = repository_root(start)
    folder = service_folder(start, root, destination)
    deployed = _being_deployed(root, folder, os.environ)
    if deployed is not None and destination in (None, deployed.lock.service.destination):
        return deployed
    path = folder / lockfile_name(destination)
    lock = reader.read(path)
    if lock.service.destination != destination:
        raise RefusedError(
            f"{path.name} is the lock of another destination "
            f"({lock.service.destination or 'the default one'}).",
            hint="A lock can't be renamed; write this destination's with `lockship prepare`.",
        )
    return Found(root, path, lock)


def _being_deployed(root: Path, folder: Path, environ: Mapping[str, str]) -> Found | None:
    """Return the lock of the deploy in whose hook this runs; None in none of this service."""
    copy, ours = environ.get("LOCKSHIP_LOCKFILE"), environ.get("LOCKSHIP_FOLDER")
    if not copy or not ours or Path(ours).resolve() != folder.resolve():
        return None
    path = Path(copy)
    if not path.is_file():
        raise RefusedError(
            f"LOCKSHIP_LOCKFILE names {path}, which isn't there: the hook that it was for has "
            "ended.",
            hint="Take it out of the environment: `unset LOCKSHIP_LOCKFILE`.",
        )
    hook = environ.get("LOCKSHIP_HOOK") or "deploy"
    return Found(root, path, reader.read(path), hook, folder)


def refuse_inside_hook(found: Found) -> None:
    """Raise RefusedError where a deploy is to begin inside a hook of the same one.

    It would wait for a mutex that its own deploy holds, or begin again for ever.
    """
    if found.hook:
        who = os.environ.get("LOCKSHIP_PERFORMER", "somebody")
        since = os.environ.get("LOCKSHIP_RECORDED_AT", "?")
        raise RefusedError(
            f"This is the {found.hook} hook of a deploy of {found.lock.project}, by {who} since "
            f"{since}: no other one can begin inside it.",
            hint="Begin it when that one has ended. To say no to a version, fail in pre-switch.",
        )


def repository_root(start: Path) -> Path:
    """Return the nearest folder upwards with a `.git` entry; `start` itself where there is none.

    Git is not asked: a lock is enough to deploy, also where its repository isn't.
    """
    folder = start.absolute()
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return candidate
    return folder


def put_back(found: Found, written: Lock) -> None:
    """Write the lock that was found again, in place of `written`; of another's lock, nothing."""
    from lockship.lock import writer  # with tomlkit: 50 ms

    try:
        now = reader.read(found.path).fingerprint
    except LockshipError:  # what is there is no lock: somebody else is at work
        return
    if now == written.fingerprint:
        writer.write(found.path, found.lock)


def record_artifact(found: Found, artifact: Artifact) -> Found:
    """Write what was built into the lock that it was built from, and into nothing else.

    Raises RefusedError where somebody wrote another lock meanwhile: the image isn't that one's.
    """
    from lockship.lock import writer

    now = reader.read(found.path)
    if now.fingerprint != found.lock.fingerprint:
        raise RefusedError(
            f"{found.path.name} changed while its image was built.",
            hint="Run the same command again: it builds what is locked now.",
        )
    lock = msgspec.structs.replace(now, artifact=artifact)
    writer.write(found.path, lock)
    return msgspec.structs.replace(found, lock=lock)
