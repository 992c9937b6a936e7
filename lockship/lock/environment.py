"""Clear environment variables: the tables of a lock that say them, and which one goes first."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from lockship.lock.names import EnvName, HostName
from lockship.lock.pattern import text
from lockship.lock.table import Table

TagName = Annotated[
    str,
    text(
        r"[a-z0-9][a-z0-9_-]{0,39}",
        "lower-case letters, digits, dashes and underscores, at most 40",
    ),
]


class HostTag(Table, frozen=True):
    """What some hosts have in common, and what their containers are told of it."""

    hosts: Annotated[tuple[HostName, ...], Meta(min_length=1)]
    env: dict[EnvName, str] = field(default_factory=dict)
