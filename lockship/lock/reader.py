"""Read a `.shiplock`: refuse what is newer, damaged or edited by hand, in that order (law 7)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from lockship.errors import RefusedError, UsageError
from lockship.lock.fingerprint import fingerprint_of
from lockship.lock.model import LOCK_VERSION, Lock
from lockship.lock.shape import convert

MAX_BYTES: Final = 1 << 20  # a lock for hundreds of hosts is some 100 KB; more is not a lock
SHOWN_PROBLEMS: Final = 20
_MEND: Final = (
    "Take the committed one back (`git checkout -- FILE`), or write a new one: `lockship prepare`."
)


class NewerLockError(RefusedError):
    """The lock was newer than this lockship, which therefore must not replace it."""


def parse(data: bytes, name: str) -> Lock:
    """Return the lock in `data`; `name` is what messages call it.

    Raises RefusedError where the lock is newer than this lockship, damaged or hand-edited.
    """
    document = _document(data, name)
    version = document.get("lock-version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise RefusedError(
            f"{name} is not a lockfile: it has no 'lock-version'.",
            hint="Write it anew with `lockship prepare`.",
        )
    if version > LOCK_VERSION:
        raise NewerLockError(
            f"{name} has lock-version {version}; this lockship knows up to {LOCK_VERSION}.",
            hint="Upgrade lockship on this machine.",
        )
    lock, found = convert(document, Lock)
    if lock is None:
        raise RefusedError(
            f"{name} is damaged.",
            details=[f"{p.key}: {p.found}, expected {p.expected}" for p in found[:SHOWN_PROBLEMS]],
            hint=_MEND,
        )
    if document["fingerprint"] != fingerprint_of(document):
        raise RefusedError(
            f"{name} was edited by hand: its fingerprint is not that of its content.",
            hint=_MEND,
        )
    unknown = sorted(
        {host for role in lock.roles.values() for host in role.hosts} - set(lock.hosts)
    )
    if unknown:
        raise RefusedError(f"{name} is damaged: no [hosts] table for {unknown[0]}.", hint=_MEND)
    return lock


def _document(data: bytes, name: str) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise RefusedError(
            f"{name} is not a lockfile: {len(data)} bytes, more than {MAX_BYTES}.", hint=_MEND
        )
    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(f"{name} is damaged: {error}.", hint=_MEND) from error


def read(path: Path) -> Lock:
    """Read the lockfile at `path`. Raises UsageError where there is none."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(
            f"There is no {path.name} here ({path.parent}).",
            hint="Write one with `lockship prepare`.",
        ) from None
    except OSError as error:
        raise RefusedError(f"{path} can't be read: {error.strerror}.") from error
    return parse(data, path.name)
