"""The journal on each host: one JSON line for each deploy and other change, chained by hash.

The lines themselves are `host.journal`'s.
"""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET

from lockship.deploy import names
from lockship.deploy.steps import Release
from lockship.host.journal import Act, Entry, Outcome, hash_of, last_line
from lockship.host.server import Server
from lockship.lock.model import Lock


def entry(
    lock: Lock,
    release: Release,
    *,
    command: Act,
    outcome: Outcome,
    roles: Iterable[str],
    performer: str,
    accessories: Iterable[str] = (),
    skipped: Iterable[str] = (),
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
        accessories=tuple(accessories) or UNSET,
        skipped_hooks=tuple(skipped) or UNSET,
    )


def append(server: Server, lock: Lock, line: Entry) -> None:
    """Add the line to the host's journal, chained to the one before. Needs the mutex.

    Its own hash is kept beside it: no line follows yet that would carry it.
    """
    path = names.journal_path(lock)
    tail = server.read_tail(path, 1 << 16)
    chained = msgspec.structs.replace(line, previous=hash_of(last_line(tail)))
    # A line that a full disk cut short keeps its place; it doesn't swallow the next one.
    start = b"\n" if tail and not tail.endswith(b"\n") else b""
    written = msgspec.json.encode(chained)
    server.append_line(path, start + written)
    server.write_file(names.journal_end_path(lock), f"{hash_of(written)}\n".encode())


def served(server: Server, lock: Lock) -> frozenset[str]:
    """Return the fingerprints of the locks whose deploy or rollback ended well on a host."""
    found = set()
    for line in (server.read_file(names.journal_path(lock)) or b"").splitlines():
        with suppress(msgspec.MsgspecError):  # a line that a full disk cut short
            told = msgspec.json.decode(line, type=Entry)
            if told.outcome == "deployed":
                found.add(told.fingerprint)
    return frozenset(found)


def booted(server: Server, lock: Lock) -> frozenset[str]:
    """Return the accessories whose last act in a host's journal is a boot that ended well.

    One that was killed left no line. Of a long journal only the end is read.
    """
    last: dict[str, bool] = {}
    for line in server.read_tail(names.journal_path(lock), 1 << 16).splitlines():
        with suppress(msgspec.MsgspecError):  # a line that was cut
            told = msgspec.json.decode(line, type=Entry)
            well = told.outcome == "done" and told.command != "accessory remove"
            last |= dict.fromkeys(told.accessories or (), well)
    return frozenset(name for name, well in last.items() if well)


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
