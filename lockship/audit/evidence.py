"""What was found on a host: plain data, to be held against the committed locks."""

from __future__ import annotations

from msgspec import Struct


class Running(Struct, frozen=True):
    """A container that runs. Of a hand-made one in lockship's network, all but name is ''.

    Of an accessory `settings` is what it was made from (`lock.accessory.settings_key`), and
    `settings_image` the id that its image's reference has on the host, '' where it has none.
    """

    name: str
    image_id: str
    project: str = ""
    role: str = ""
    version: str = ""
    fingerprint: str = ""
    accessory: str = ""
    settings: str = ""
    settings_image: str = ""


class HostEvidence(Struct, frozen=True):
    """One project on one host: its journal, the hash of its last line, the running containers."""

    host: str
    project: str
    journal: bytes
    running: tuple[Running, ...] = ()
    end: bytes = b""
