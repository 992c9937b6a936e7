"""An image that somebody else built: the lock names its digest, and it is only looked at."""

from __future__ import annotations

from lockship.build.registry import RegistryRepository
from lockship.host.engine import Engine
from lockship.lock.image import Artifact
from lockship.lock.model import Lock
from lockship.progress import Event, Report


def taken(
    engine: Engine, registry: RegistryRepository, lock: Lock, digest: str, key: str, report: Report
) -> Artifact:
    """Return what the lock names, of which this machine's engine tells the image id.

    Nothing is built, tagged or pushed. Raises LockshipError where the registry hasn't the digest.
    """
    report(Event("note", f"{lock.image.reference} is there already: there is nothing to build"))
    known = lock.artifact
    if known is not None and known.key == key and known.digest == digest:
        return known
    there = f"{registry.name}@{digest}"
    found = engine.image(lock.image.reference) or engine.image(there) or registry.pull(digest)
    return Artifact(key=key, image_id=found.id, digest=digest)
