"""An entry as flat data: what `--json` and `--csv` print, and what a report is made of."""

from __future__ import annotations

from msgspec import Struct

from lockship.audit.entry import Entry, Kind
from lockship.history.record import Record
from lockship.history.signatures import Signature
from lockship.history.walk import Person
from lockship.lock.image import what_runs
from lockship.lock.model import Lock


class Who(Struct, frozen=True, rename="kebab"):
    """An author or committer; `at` is by RFC 3339, as the commit says."""

    name: str
    email: str
    at: str


class Row(Struct, frozen=True, kw_only=True, rename="kebab"):
    """One lockfile state. What a lock says is None where there is no lock, or none to be read.

    `signature` is `none`, `unchecked` (there is one), or what git says of it. `image` is what hosts
    run: the name with its digest, or the image's id. `record` is how the last deploy of the state
    ended, where one was recorded; `attempts` are the records before it, oldest first. A row of the
    kind `recorded` or `attempted` is no state but a deploy of its own.
    """

    at: str
    commit: str
    subject: str
    author: Who
    committer: Who
    signature: Signature
    path: str
    kind: Kind
    service: str | None = None
    destination: str | None = None
    version: str | None = None
    fingerprint: str | None = None
    source_commit: str | None = None
    source_subject: str | None = None
    source_author: str | None = None
    source_committed_at: str | None = None
    forced: bool = False
    release: bool = False
    hosts: tuple[str, ...] = ()
    image: str | None = None
    moved_from: str | None = None
    returns_to: str | None = None
    same_as: str | None = None
    record: Record | None = None
    attempts: tuple[Record, ...] = ()
    problems: tuple[str, ...] = ()


def row(entry: Entry, signature: Signature | None = None) -> Row:
    """Flatten an entry. A removed lockfile says of which service it was, and nothing else."""
    lock, about = entry.lock, entry.about
    commit = entry.commit
    said = entry.own or Record()  # of a lock that isn't here
    return Row(
        at=commit.committer.at,
        commit=commit.id,
        subject=commit.subject,
        author=_who(commit.author),
        committer=_who(commit.committer),
        signature=signature or ("unchecked" if entry.signed else "none"),
        path=entry.path,
        kind=entry.kind,
        service=about.service.name if about else None,
        destination=about.service.destination if about else None,
        version=lock.service.version if lock else said.version,
        fingerprint=lock.fingerprint if lock else said.fingerprint,
        source_commit=lock.source.commit if lock else None,
        source_subject=lock.source.subject if lock else None,
        source_author=lock.source.author if lock else None,
        source_committed_at=lock.source.committed_at if lock else None,
        forced=lock.source.dirty if lock else False,
        release=lock.source.release if lock else False,
        hosts=hosts_of(lock) if lock else said.hosts,
        image=image_of(lock) if lock else None,
        moved_from=entry.moved_from,
        returns_to=entry.returns_to,
        same_as=entry.same_as,
        record=entry.record,
        attempts=entry.records[:-1],
        problems=entry.problems,
    )


def _who(person: Person) -> Who:
    return Who(person.name, person.email, person.at)


def hosts_of(lock: Lock) -> tuple[str, ...]:
    """Return the hosts on which a lock's roles and accessories run, each once."""
    return lock.every_host


def image_of(lock: Lock) -> str | None:
    """Return what hosts run, `repository@digest` or an image id; None where none is built."""
    return what_runs(lock.image, lock.artifact) if lock.artifact else None
