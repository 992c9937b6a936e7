"""What a deploy records in the message of its commit: the `Lockship-` trailers, written and read.

Trailers are git's own: git-interpret-trailers(1). A value is one line of text that prints.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from lockship.host.journal import Outcome
from lockship.lock.model import Lock

PREFIX: Final = "Lockship-"
_LONGEST: Final = 1000  # characters of one value; a reason is a sentence or two
_SAID: Final[dict[str, str]] = {
    "deployed": "",
    "failed": ": failed",
    "undone": ": failed and was undone",
    "attention": ": hosts need attention",
}


class Record(Struct, frozen=True, rename="kebab"):
    """The trailers of `deploy --commit`; None where one isn't there. It is what the message says.

    `deployed_at` is the deploy's end by RFC 3339, in UTC; `reason` is what `rollback -m` was given;
    `command` is `deploy` or `rollback`;
    `skipped_hooks` are the deploy hooks that were told not to run.
    """

    version: str | None = None
    fingerprint: str | None = None
    hosts: tuple[str, ...] = ()
    outcome: str | None = None
    deployed_at: str | None = None
    performer: str | None = None
    reason: str | None = None
    command: str | None = None
    skipped_hooks: tuple[str, ...] = ()


def record_of(trailers: Iterable[tuple[str, str]]) -> Record | None:
    """Return what the trailers record; None where none is lockship's. The last of two counts."""
    said = {
        name.lower().removeprefix(PREFIX.lower()): value
        for name, value in trailers
        if name.lower().startswith(PREFIX.lower())
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
        reason=said.get("reason"),
        command=said.get("command"),
        skipped_hooks=tuple(said.get("skipped-hooks", "").replace(",", " ").split()),
    )


def ended_well(record: Record | None) -> bool:
    """Tell whether nothing says of a deploy that it failed."""
    return record is None or record.outcome in (None, "deployed")


def contradicts(record: Record, lock: Lock) -> bool:
    """Tell whether a message records another lock than the one that its commit brings."""
    hosts = {host for role in lock.roles.values() for host in role.hosts}
    return (
        record.fingerprint not in (None, lock.fingerprint)
        or record.version not in (None, lock.service.version)
        or (bool(record.hosts) and set(record.hosts) != hosts)
    )


def message(
    lock: Lock,
    command: Literal["deploy", "rollback"],
    outcome: Outcome,
    *,
    at: str,
    performer: str,
    reason: str | None = None,
    skipped: Iterable[str] = (),
) -> str:
    """Return the message of the commit that records how a deploy of this lock ended."""
    what = f"Roll back {lock.project} to" if command == "rollback" else f"Deploy {lock.project}"
    hosts = dict.fromkeys(host for role in lock.roles.values() for host in role.hosts)
    said = {
        "Command": command,
        "Version": lock.service.version,
        "Fingerprint": lock.fingerprint,
        "Hosts": ", ".join(hosts),
        "Outcome": outcome,
        "Deployed-At": at,
        "Performer": performer,
        "Reason": reason or "",
        "Skipped-Hooks": ", ".join(skipped),
    }
    trailers = [f"{PREFIX}{name}: {_line(value)}" for name, value in said.items() if value]
    subject = f"{what} {lock.service.version}{_SAID.get(outcome, '')}"
    return "\n".join([subject, "", *trailers, ""])


def _line(text: str) -> str:
    """Return text as one line: nothing in it begins another trailer, or is obeyed by a terminal."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
