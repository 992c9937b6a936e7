"""What all tables of a lockfile and of a configuration are."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Table(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """What all tables of a lockfile and of a configuration are: frozen and strict."""


def compact(table: dict[str, Any]) -> dict[str, Any]:
    """Drop keys whose value is absent or empty: in a lock, absent and empty mean the same."""
    tables = {k: compact(v) if isinstance(v, dict) else v for k, v in table.items()}
    return {k: v for k, v in tables.items() if v is not None and v not in ([], (), {})}
