"""What a lock is known by: its fingerprint, and the key of what its image is built from.

Both are SHA-256 over canonical JSON (keys sorted, no white space, UTF-8) behind a line that says
what is hashed, so that one can never be taken for the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from lockship.lock.model import Lock
from lockship.lock.table import compact

NOT_HASHED: Final = ("lock-version", "fingerprint", "artifact")
_NOT_BUILT_FROM: Final = ("cache-from", "cache-to", "host", "base-platforms")  # of [build]


def _digest(purpose: str, value: object) -> str:
    encoded = msgspec.json.encode(value, order="sorted")
    return "sha256:" + hashlib.sha256(f"lockship {purpose} 1\n".encode() + encoded).hexdigest()


def to_document(lock: Lock) -> dict[str, Any]:
    """Return the lock as the plain tables of its file, in the model's order, without empty keys."""
    document: dict[str, Any] = msgspec.to_builtins(lock)
    if lock.image.digest is not None:
        document.pop("build")  # nothing is built
    kept = compact(document)
    # A host's table stays even when it says nothing: that it is there says that the host is known.
    hosts = {name: compact(host) for name, host in document["hosts"].items()}
    order = (key for key in document if key in kept or (key == "hosts" and hosts))
    return {key: hosts if key == "hosts" else kept[key] for key in order}


def fingerprint_of(document: Mapping[str, Any]) -> str:
    """Return the fingerprint of a lockfile's document: all tables except `[artifact]`.

    It is taken over the document, not over the model, so that a lockship that knows more keys
    than the one that wrote a lock still finds the same fingerprint.
    """
    return _digest("lock", {k: v for k, v in document.items() if k not in NOT_HASHED})


def sealed(lock: Lock) -> Lock:
    """Return `lock` with the fingerprint of its content."""
    return msgspec.structs.replace(lock, fingerprint=fingerprint_of(to_document(lock)))


def build_key(lock: Lock) -> str:
    """Return the key of what the image is built from: content tree, build table, name, labels.

    Hosts, roles, pins of hosts and the destination are left out: a changed one makes another
    lock, not another image, and what was tried on staging is what production runs. So are the
    build's host and caches, which change where it is built and how long that takes, and what
    follows from the pins that are in it. `[artifact]` holds while its key is this one.
    """
    document = to_document(lock)
    build = document.get("build", {})
    document["build"] = {k: v for k, v in build.items() if k not in _NOT_BUILT_FROM}
    kept = {"service": ("name", "version"), "source": ("commit", "tree", "remote")}
    built_from = {table: {k: document[table].get(k) for k in keys} for table, keys in kept.items()}
    return _digest("build", built_from | {name: document[name] for name in ("build", "image")})
