"""What is written on an image, so that it can be known again.

The `org.opencontainers.image` keys are the OCI image specification's annotations.
"""

from __future__ import annotations

from typing import Final

from lockship.lock.fingerprint import build_key
from lockship.lock.model import Lock

FINGERPRINT: Final = "dev.lockship.fingerprint"
BUILD_KEY: Final = "dev.lockship.build-key"
SERVICE: Final = "dev.lockship.service"


def labels(lock: Lock) -> dict[str, str]:
    """Return the labels of the image that `lock` builds, in a fixed order."""
    found = {
        "org.opencontainers.image.created": lock.source.committed_at,
        "org.opencontainers.image.revision": lock.source.snapshot or lock.source.commit,
        "org.opencontainers.image.version": lock.service.version,
        BUILD_KEY: build_key(lock),
        FINGERPRINT: lock.fingerprint,
        SERVICE: lock.service.name,
    }
    if lock.source.remote:
        found["org.opencontainers.image.source"] = lock.source.remote
    return dict(sorted(found.items()))
