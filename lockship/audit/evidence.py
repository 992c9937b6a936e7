"""What was found on a host: plain data, to be held against the committed locks."""

from __future__ import annotations

from msgspec import Struct


class Running(Struct, frozen=True):
    """A container that runs. Of a hand-made one in lockship's network, all but name is ''."""

    name: str
    image_id: str
    project: str = ""
    role: str = ""
    version: str = ""
    fingerprint: str = ""


class HostEvidence(Struct, frozen=True):
    """One project on one host: its journal, and the running containers."""

    host: str
    project: str
    journal: bytes
    running: tuple[Running, ...] = ()
