"""Find the lock that a command is about, and write what a command adds to it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from lockship.errors import RefusedError
from lockship.lock import reader, writer
from lockship.lock.image import Artifact
from lockship.lock.model import Lock
from lockship.lock.names import lockfile_name
from lockship.lock.place import service_folder


class Found(Struct, frozen=True):
    """A lock, the file that it is in, and the folder (the repository's root) of that file."""

    root: Path
    path: Path
    lock: Lock


def find(start: Path, destination: str | None) -> Found:
    """Read the lock of the service around `start`: see `service_folder`.

    Raises UsageError where there is none, RefusedError where it is damaged or of another
    destination.
    """
    root = repository_root(start)
    path = service_folder(start, root, destination) / lockfile_name(destination)
    lock = reader.read(path)
    if lock.service.destination != destination:
        raise RefusedError(
            f"{path.name} is the lock of another destination "
            f"({lock.service.destination or 'the default one'}).",
            hint="A lock can't be renamed; write this destination's with `lockship prepare`.",
        )
    return Found(root, path, lock)


def repository_root(start: Path) -> Path:
    """Return the nearest folder upwards with a `.git` entry; `start` itself where there is none.

    Git is not asked: a lock is enough to deploy, also where its repository isn't.
    """
    folder = start.absolute()
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return candidate
    return folder


def record_artifact(found: Found, artifact: Artifact) -> Found:
    """Write what was built into the lock that it was built from, and into nothing else.

    Raises RefusedError where somebody wrote another lock meanwhile: the image isn't that one's.
    """
    now = reader.read(found.path)
    if now.fingerprint != found.lock.fingerprint:
        raise RefusedError(
            f"{found.path.name} changed while its image was built.",
            hint="Run the same command again: it builds what is locked now.",
        )
    lock = msgspec.structs.replace(now, artifact=artifact)
    writer.write(found.path, lock)
    return Found(found.root, found.path, lock)
