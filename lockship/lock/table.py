"""What all tables of a lockfile and of a configuration are."""

from __future__ import annotations

from msgspec import Struct


class Table(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """What all tables of a lockfile and of a configuration are: frozen and strict."""
