"""What a lock's build makes: one image, or one for each of several platforms. Pure."""

from __future__ import annotations

from msgspec import Struct

from lockship.errors import RefusedError
from lockship.lock.fingerprint import build_key
from lockship.lock.image import Made
from lockship.lock.model import Lock

_LONGEST = 128  # characters of a tag


class Target(Struct, frozen=True):
    """An image that is to be made. `platform` None: for the engine's own.

    `known` is what the lock says came of it, where that is of the same build key.
    """

    lock: Lock
    key: str
    tag: str
    platform: str | None
    known: Made | None

    @property
    def repository(self) -> str:
        """The image's name, without its tag."""
        return self.lock.image.repository

    @property
    def reference(self) -> str:
        """`repository:tag`; of several platforms each has a tag of its own."""
        return f"{self.repository}:{self.tag}"


def several(lock: Lock) -> bool:
    """Tell whether an image is made for each of several platforms."""
    return len(lock.build.platforms) > 1


def targets(lock: Lock) -> tuple[Target, ...]:
    """Return what is to be made, in the lock's order.

    Raises RefusedError where a version leaves no room for the platform behind it in a tag.
    """
    key = build_key(lock)
    platforms = lock.build.platforms or (None,)
    known = lock.artifact if lock.artifact is not None and lock.artifact.key == key else None
    return tuple(
        Target(
            lock=lock,
            key=key,
            tag=_tag(lock, platform) if platform and several(lock) else lock.image.tag,
            platform=platform,
            known=known.of(platform or "") if known else None,
        )
        for platform in platforms
    )


def _tag(lock: Lock, platform: str) -> str:
    tag = f"{lock.image.tag}-{platform.replace('/', '-')}"
    if len(tag) > _LONGEST:
        raise RefusedError(
            f"The tag {tag} would be {len(tag)} characters long; {_LONGEST} are allowed.",
            hint="Give the version a shorter name: `lockship prepare --version NAME`.",
        )
    return tag
