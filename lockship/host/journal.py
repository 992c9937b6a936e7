"""The lines of a host's journal: what one says, and how it is chained to the one before.

Each line carries the SHA-256 of the line before it, so that a line that was removed or edited
shows. It is written to and never rewritten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

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
    "accessory boot",
    "accessory reboot",
    "accessory remove",
]
Outcome = Literal["deployed", "done", "failed", "undone", "attention"]


class Entry(Struct, frozen=True, rename="kebab"):
    """One act on one host. `at` is its end, RFC 3339 in UTC; `previous` hashes the line before.

    Version, fingerprint and image are what a deploy brought, or what another act found there.
    `performer` is who, `origin` the machine from where. An act on accessories names these, no
    roles and no image; its lock is the one that it was done with. `skipped_hooks` are the lock's
    deploy hooks that were told not to run.
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
    accessories: tuple[str, ...] | UnsetType = UNSET
    skipped_hooks: tuple[str, ...] | UnsetType = UNSET


def hash_of(line: bytes) -> str | None:
    """Return what the line after `line` carries; None where there is no line before it."""
    return "sha256:" + hashlib.sha256(line).hexdigest() if line else None


class Line(Struct, frozen=True):
    """A line of a journal. `entry` is None where it can't be read.

    `follows`: it carries the hash of the line before it, or it is the first one and carries none.
    """

    number: int
    entry: Entry | None
    follows: bool


def lines(journal: bytes) -> Iterator[Line]:
    """Read a journal's lines, oldest first, and check their chain."""
    before = b""
    for number, line in enumerate(journal.split(b"\n"), 1):
        if not line:  # after the last one; or two line breaks where a disk was full
            continue
        try:
            entry = msgspec.json.decode(line, type=Entry)
        except msgspec.MsgspecError:
            entry = None
        follows = entry is None or entry.previous == hash_of(before)
        yield Line(number, entry, follows)
        before = line


def ends(journal: bytes, end: bytes) -> bool:
    """Tell whether a journal ends with the line that was written last, whose hash `end` is.

    A writer that was killed between the two files leaves the hash of the line before. No hash
    (b"", from before it was kept) tells nothing.
    """
    last, before = b"", b""
    for line in filter(None, journal.split(b"\n")):
        last, before = line, last
    said = end.decode(errors="replace").strip()
    return not said or said in (hash_of(last), hash_of(before))


def last_line(tail: bytes) -> bytes:
    """Return the last line in a journal's end, without its line break."""
    return tail.rstrip(b"\n").rpartition(b"\n")[2]
