"""What a deploy recorded in its commit's message: the `Lockship-` trailers, read back."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct


class Record(Struct, frozen=True, rename="kebab"):
    """The trailers of `deploy --commit`; None where one isn't there. It is what the message says.

    `deployed_at` is by RFC 3339.
    """

    version: str | None = None
    fingerprint: str | None = None
    hosts: tuple[str, ...] = ()
    outcome: str | None = None
    deployed_at: str | None = None
    performer: str | None = None


def record_of(trailers: Iterable[tuple[str, str]]) -> Record | None:
    """Return what the trailers record; None where none is lockship's. The last of two counts."""
    said = {
        name.lower().removeprefix("lockship-"): value
        for name, value in trailers
        if name.lower().startswith("lockship-")
    }
    if not said:
        return None
    return Record(
        version=said.get("version"),
        fingerprint=said.get("fingerprint"),
        hosts=tuple(said.get("hosts", "").replace(",", " ").split()),
        outcome=said.get("outcome"),
        deployed_at=said.get("deployed-at"),
        performer=said.get("performer"),
    )
