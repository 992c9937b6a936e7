"""Which part of history: the options that `log` and `report` share, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

import click

from lockship.cli import options

if TYPE_CHECKING:
    from lockship.audit.select import Wanted
    from lockship.git import Repository

Decorated = TypeVar("Decorated", bound=Callable[..., object])

_OPTIONS: Final = (
    click.option("--since", metavar="TIME", help="Not before: 2026-03-03, or '2 days ago'."),
    click.option("--until", metavar="TIME", help="Not after; a date is its whole day."),
    click.option("--service", metavar="NAME", help="Only locks of this service."),
    options.destination,
    click.option("--author", metavar="TEXT", help="Only where author or committer has this in it."),
    click.option("--version", metavar="VERSION", help="Only this version, or what begins so."),
    click.option("--host", metavar="HOST", help="Only locks that deploy to this host."),
    click.option("--ref", metavar="REF", help="The history of this branch, tag or commit."),
    click.option("--all", "every", is_flag=True, help="The history of all branches and tags."),
)


def narrowed(command: Decorated) -> Decorated:
    """Add the options that choose a part of history."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def wanted(now: datetime, since: str | None, until: str | None, **what: str | None) -> Wanted:
    """Return what the options ask for; times without a zone are in that of `now`.

    Raises UsageError.
    """
    from lockship.audit.select import Wanted, moment

    return Wanted(
        since=moment(since, now, end=False) if since is not None else None,
        until=moment(until, now, end=True) if until is not None else None,
        **what,
    )


def tips(repository: Repository, ref: str | None, every: bool) -> list[str]:
    """Return the commits whose history is looked at. Raises UsageError."""
    from lockship.audit import revisions

    return revisions.every_tip(repository) if every else [revisions.tip(repository, ref or "HEAD")]
