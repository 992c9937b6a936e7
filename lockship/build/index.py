"""The index of several platforms' images, under the version's own tag.

No host needs it, since each pulls its image by digest. It is for whoever else pulls the version.
"""

from __future__ import annotations

from collections.abc import Mapping

from lockship.build.registry import RegistryRepository
from lockship.errors import LockshipError, RefusedError
from lockship.host.manifests import read_index, write_index
from lockship.lock.image import Artifact, Made
from lockship.lock.model import Lock
from lockship.lock.platform import plain
from lockship.lock.reference import parse_reference
from lockship.progress import Event


def put_index(
    registry: RegistryRepository, lock: Lock, known: Artifact | None, made: Mapping[str, Made]
) -> str | None:
    """See that the version's tag is an index of what was made; return its digest.

    `known` is what the lock says of the same build. None, with a note, where the registry can't be
    asked from this machine, but only through the engine. Raises RefusedError where the tag is
    something else.
    """
    images = {platform: each.digest for platform, each in made.items() if each.digest is not None}
    reference = parse_reference(lock.image.reference)
    there = registry.digest(lock.image.tag)
    if known is not None and known.platforms == made and known.digest == there is not None:
        return there
    assert reference is not None  # noqa: S101 - the lock's names are checked as it is read
    try:
        if there is None:
            return write_index(reference, lock.image.tag, images, registry.auth)
        listed = read_index(reference, there, registry.auth)
    except LockshipError as error:
        registry.report(Event("note", f"no index under {lock.image.reference}: {error.message}"))
        return None
    if listed != {plain(platform): digest for platform, digest in images.items()}:
        raise RefusedError(
            f"The tag {lock.image.reference} is taken in the registry, by something else.",
            hint="Name this version anew with `lockship prepare --version NAME`, or, if nothing"
            " uses it, remove the old one from the registry.",
        )
    return there
