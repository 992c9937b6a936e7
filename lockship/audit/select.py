"""Which entries a person asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from lockship.audit.entry import Entry
from lockship.errors import UsageError

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_AGO: Final = re.compile(r"(\d{1,6}) (minute|hour|day|week)s?(?: ago)?")


class Wanted(Struct, frozen=True, kw_only=True):
    """What an entry must be; None: anything.

    `since` and `until` are in seconds since 1970, both included, and are compared with the
    committer's date. `author` is part of the name or address of author or committer; `version` is
    the version or how it begins.
    """

    since: int | None = None
    until: int | None = None
    service: str | None = None
    destination: str | None = None
    author: str | None = None
    version: str | None = None
    host: str | None = None


def chosen(entries: Iterable[Entry], wanted: Wanted) -> list[Entry]:
    """Return the entries that are as wanted, in their order.

    What has no readable lock is of any service, destination, version and host: it can't be told.
    """
    return [entry for entry in entries if _in_time(entry, wanted) and _is_about(entry, wanted)]


def _in_time(entry: Entry, wanted: Wanted) -> bool:
    at = entry.commit.committer.seconds
    early = wanted.since is not None and at < wanted.since
    return not early and (wanted.until is None or at <= wanted.until)


def _is_about(entry: Entry, wanted: Wanted) -> bool:
    people = (entry.commit.author, entry.commit.committer)
    names = " ".join(f"{each.name} <{each.email}>" for each in people).lower()
    if wanted.author is not None and wanted.author.lower() not in names:
        return False
    lock = entry.about
    if lock is None:
        return True
    hosts = lock.every_host
    return (
        wanted.service in (None, lock.service.name)
        and wanted.destination in (None, lock.service.destination)
        and (wanted.version is None or lock.service.version.startswith(wanted.version))
        and (wanted.host is None or wanted.host in hosts)
    )


def moment(text: str, now: datetime, *, end: bool) -> int:
    """Return a time that a person gave, in seconds since 1970.

    `2026-03-03`, `2026-03-03 14:00`, with seconds and an offset or `Z` where wanted, or `2 days
    ago`. Without an offset it is in the time zone of `now`. A date alone is its first second, with
    `end` its last. Raises UsageError. (git's own reading takes any word for a time.)
    """
    ago = _AGO.fullmatch(text.strip().lower())
    try:
        if ago is not None:
            return int((now - timedelta(**{f"{ago[2]}s": int(ago[1])})).timestamp())
        at = datetime.fromisoformat(text.strip())
        if _DATE.fullmatch(text.strip()) and end:
            at += timedelta(days=1, seconds=-1)
        return int((at if at.tzinfo else at.replace(tzinfo=now.tzinfo)).timestamp())
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"'{text}' is no time.",
            hint="Give one such as 2026-03-03, '2026-03-03 14:00+01:00' or '2 days ago'.",
        ) from error
