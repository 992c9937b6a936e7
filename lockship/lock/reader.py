"""Read a `.shiplock`: refuse what is newer, damaged or edited by hand, in that order (law 7)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from lockship.errors import RefusedError, UsageError
from lockship.lock.fingerprint import fingerprint_of
from lockship.lock.model import LOCK_VERSION, Lock
from lockship.lock.names import LOCKFILE_NAME
from lockship.lock.shape import convert

MAX_BYTES: Final = 1 << 20  # a lock for hundreds of hosts is some 100 KB; more is not a lock
SHOWN_PROBLEMS: Final = 20
_ABSURD: Final = 1 << 31  # no version of a format; Python doesn't even print a hostile one's digits
_MEND: Final = (
    "Take the committed one back (`git checkout -- FILE`), or write a new one: `lockship prepare`."
)


# Strings, closed or not, and comments: in them a dot is just a dot.
_TEXT: Final = re.compile(
    rb'"""(?:[^"\\]+|\\.|"(?!""))*(?:""")?|"(?:[^"\\\n]+|\\.)*"?'
    rb"|'''(?:[^']+|'(?!''))*(?:''')?|'[^'\n]*'?|#[^\n]*",
    re.DOTALL,
)
_NOT_IN_A_KEY: Final = re.compile(rb"[^A-Za-z0-9_. \t-]+")
_KEY_PARTS: Final = 32  # a lock's own keys have three


class UnsoundLockError(RefusedError):
    """The file holds no lock. `field` is the key that is wrong, where it is one."""

    def __init__(
        self, message: str, *, hint: str, details: Sequence[str] = (), field: str = ""
    ) -> None:
        super().__init__(message, hint=hint, details=details)
        self.field = field


class NewerLockError(UnsoundLockError):
    """The lock was newer than this lockship, which therefore must not replace it."""


class EditedLockError(UnsoundLockError):
    """Nothing is wrong with the lock's shape, but its fingerprint isn't that of its content."""


def parse(data: bytes, name: str) -> Lock:
    """Return the lock in `data`; `name` is what messages call it.

    Raises RefusedError where the lock is newer than this lockship, damaged or hand-edited.
    """
    document = to_tables(data, name)
    version = document.get("lock-version")
    if not isinstance(version, int) or isinstance(version, bool) or not 0 < version < _ABSURD:
        raise UnsoundLockError(
            f"{name} is not a lockfile: it has no lock-version.",
            hint="Write it anew with `lockship prepare`.",
            field="lock-version",
        )
    if version > LOCK_VERSION:
        raise NewerLockError(
            f"{name} has lock-version {version}; this lockship knows up to {LOCK_VERSION}.",
            hint="Upgrade lockship on this machine.",
            field="lock-version",
        )
    lock, found = convert(document, Lock)
    if lock is None:
        raise UnsoundLockError(
            f"{name} is damaged.",
            details=[f"{p.key}: {p.found}, expected {p.expected}" for p in found[:SHOWN_PROBLEMS]],
            hint=_MEND,
            field=found[0].key,
        )
    if document["fingerprint"] != fingerprint_of(document):
        raise EditedLockError(
            f"{name} was edited by hand: its fingerprint is not that of its content.",
            hint=_MEND,
            field="fingerprint",
        )
    unknown = sorted(set(lock.named_hosts) - set(lock.hosts))
    if unknown:
        raise UnsoundLockError(
            f"{name} is damaged: no [hosts] table for {unknown[0]}.", hint=_MEND, field="hosts"
        )
    made = lock.artifact
    if made is not None and (made.image_id is None) != bool(made.platforms):
        raise UnsoundLockError(
            f"{name} is damaged: [artifact] names one image-id, or an image for each of several"
            " platforms.",
            hint=_MEND,
            field="artifact.image-id",
        )
    return lock


def to_tables(data: bytes, name: str) -> dict[str, Any]:
    """Return the plain tables of a lockfile's text, whatever they say. Raises UnsoundLockError."""
    if len(data) > MAX_BYTES:
        raise UnsoundLockError(
            f"{name} is not a lockfile: {len(data)} bytes, more than {MAX_BYTES}.", hint=_MEND
        )
    if _has_long_key(data):
        raise UnsoundLockError(f"{name} is damaged: a key of too many parts.", hint=_MEND)
    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, a number of 5,000 digits
        raise UnsoundLockError(f"{name} is damaged: {error}.", hint=_MEND) from error


def _has_long_key(data: bytes) -> bool:
    """Tell whether a key has so many parts that tomllib, quadratic there, would take hours."""
    return any(
        piece.count(b".") > _KEY_PARTS for piece in _NOT_IN_A_KEY.split(_TEXT.sub(b"s", data))
    )


def read(path: Path) -> Lock:
    """Read the lockfile at `path`. Raises UsageError where there is none."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        destination = path.suffix.removeprefix(".") if path.stem == LOCKFILE_NAME else ""
        words = f"lockship prepare -d {destination}" if destination else "lockship prepare"
        raise UsageError(
            f"There is no {path.name} here ({path.parent}).", hint=f"Write one with `{words}`."
        ) from None
    except OSError as error:
        raise RefusedError(f"{path} can't be read: {error.strerror}.") from error
    return parse(data, path.name)
