"""The journal on each host: one JSON line for each deploy and other change, chained by hash.

Each line carries the SHA-256 of the line before it, so that a line that was removed or edited
shows. It is written to and never rewritten.
"""

from __future__ import annotations

import getpass
import hashlib
import socket
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

import msgspec
from msgspec import Struct

from lockship.deploy import names
from lockship.deploy.steps import Release
from lockship.host.server import Server
from lockship.lock.model import Lock

Act = Literal[
    "deploy",
    "rollback",
    "refresh-secrets",
    "stop",
    "start",
    "restart",
    "remove",
    "maintenance on",
    "maintenance off",
    "prune",
]
Outcome = Literal["deployed", "done", "failed", "undone", "attention"]


class Entry(Struct, frozen=True, rename="kebab"):
    """One act on one host. `at` is its end, RFC 3339 in UTC; `previous` hashes the line before.

    Version, fingerprint and image are what a deploy brought, or what another act found there.
    `performer` is who, `origin` the machine from where.
    """

    at: str
    command: Act
    outcome: Outcome
    service: str
    destination: str | None
    version: str
    fingerprint: str
    image_id: str
    roles: tuple[str, ...]
    performer: str
    origin: str
    previous: str | None = None


def entry(
    lock: Lock,
    release: Release,
    *,
    command: Act,
    outcome: Outcome,
    roles: Iterable[str],
    performer: str,
) -> Entry:
    """Return the line, not yet chained, for this act on a host, as of now."""
    return Entry(
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        command=command,
        outcome=outcome,
        service=lock.service.name,
        destination=lock.service.destination,
        version=release.version,
        fingerprint=release.fingerprint,
        image_id=release.image_id,
        roles=tuple(roles),
        performer=performer,
        origin=socket.gethostname(),
    )


def append(server: Server, lock: Lock, line: Entry) -> None:
    """Add the line to the host's journal, chained to the one before. Needs the mutex."""
    path = names.journal_path(lock)
    tail = server.read_tail(path, 1 << 16)
    last = _last_line(tail)
    previous = "sha256:" + hashlib.sha256(last).hexdigest() if last else None
    chained = msgspec.structs.replace(line, previous=previous)
    # A line that a full disk cut short keeps its place; it doesn't swallow the next one.
    start = b"\n" if tail and not tail.endswith(b"\n") else b""
    server.append_line(path, start + msgspec.json.encode(chained))


def served(server: Server, lock: Lock) -> frozenset[str]:
    """Return the fingerprints of the locks whose deploy or rollback ended well on a host."""
    found = set()
    for line in (server.read_file(names.journal_path(lock)) or b"").splitlines():
        with suppress(msgspec.MsgspecError):  # a line that a full disk cut short
            told = msgspec.json.decode(line, type=Entry)
            if told.outcome == "deployed":
                found.add(told.fingerprint)
    return frozenset(found)


def _last_line(tail: bytes) -> bytes:
    return tail.rstrip(b"\n").rpartition(b"\n")[2]


def holder_info(lock: Lock, performer: str) -> bytes:
    """Return what the mutex's file says of its holder, as one JSON line without its end."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return msgspec.json.encode(
        {"performer": performer, "since": since, "version": lock.service.version}
    )


def local_performer() -> str:
    """Return who is at this machine, as `user@host`; the journal's `performer`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's numeric user has no name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
