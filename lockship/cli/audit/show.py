"""`lockship audit show`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lockship.cli import console, options
from lockship.cli.text import visible
from lockship.errors import EXIT_DONE

if TYPE_CHECKING:
    from lockship.audit.entry import Entry
    from lockship.audit.finding import Finding
    from lockship.audit.rows import Row, Who
    from lockship.history.record import Record
    from lockship.lock.model import Lock

_WIDTH: Final = 13
_CHANGES: Final = 20


@click.command("show")
@click.argument("what", metavar="STATE")
@options.destination
@click.option("--all", "every", is_flag=True, help="Look at all branches and tags.")
@options.as_json
def command(*, what: str, destination: str | None, every: bool, as_json: bool) -> int:
    """Show everything about one locked state.

    A version means its newest state; a commit what it locked, else what was locked there.
    """
    from lockship.audit import revisions
    from lockship.audit.choose import named
    from lockship.audit.verify import verify
    from lockship.cli.audit import look
    from lockship.git import Repository
    from lockship.lock.fingerprint import to_document

    repository = Repository.discover(Path.cwd())
    tips = revisions.every_tip(repository) if every else [revisions.tip(repository, "HEAD")]
    found = look.entries_of(repository, tips)
    chosen = named(repository, found, what, destination)
    rows = look.rows_of(repository, chosen, check=True)
    findings = [
        verify(repository, [each], {row.commit: row.signature}, whole=not repository.shallow)
        for each, row in zip(chosen, rows, strict=True)
    ]
    if as_json:
        shown = [
            {
                "entry": row,
                "lock": to_document(entry.lock) if entry.lock else None,
                "findings": said,
            }
            for row, entry, said in zip(rows, chosen, findings, strict=True)
        ]
        console.data_json({"entries": shown})
        return EXIT_DONE
    for number, (entry, row, said) in enumerate(zip(chosen, rows, findings, strict=True)):
        if number:
            console.data("")
        for label, value in _lines(entry, row, said, _next(found, entry)):
            console.data(f"{label:<{_WIDTH}}{visible(value)}".rstrip())
    return EXIT_DONE


def _next(found: list[Entry], entry: Entry) -> Entry | None:
    """Return the state of the same lockfile that came after this one."""
    later = [
        each for each in found[: found.index(entry)] if each.file == entry.file and each.is_state
    ]
    return later[-1] if later else None


def _lines(
    entry: Entry, row: Row, findings: list[Finding], later: Entry | None
) -> Iterator[tuple[str, str]]:
    from lockship.cli.audit import listing

    lock = entry.lock
    if row.version is not None:
        yield "version", row.version
    if lock is not None:
        yield "service", lock.project
    if row.path:
        yield "lockfile", row.path
    yield "commit", row.commit
    yield "  subject", row.subject
    yield "  author", _who(row.author)
    yield "  committer", _who(row.committer)
    yield "  signature", row.signature
    yield "kind", "; ".join(listing.marks(row)) or row.kind
    for said in (*row.attempts, row.record):
        if said is not None:
            yield from _recorded(said)
    if later is not None:
        version = later.lock.service.version if later.lock else later.kind
        yield "until", f"{later.commit.committer.at}: {version} ({later.commit.id[:12]})"
    if lock is not None:
        yield from _locked(lock, row)
    yield "checked", "all holds" if not findings else ""
    for each in findings:
        yield "  " + (each.kind), f"{each.field}: {each.what}" if each.field else each.what


def _recorded(said: Record) -> Iterator[tuple[str, str]]:
    at = said.deployed_at or "a time that only the hosts' journals tell"
    back = "rollback " if said.command == "rollback" else ""
    yield "recorded", f"{back}{said.outcome or 'deployed'} at {at}"
    if said.performer:
        yield "  by", said.performer
    yield "  on", ", ".join(said.hosts)
    if said.reason:
        yield "  reason", said.reason
    if said.skipped_hooks:
        yield "  skipped", f"the hooks {', '.join(said.skipped_hooks)}"


def _who(who: Who) -> str:
    return f"{who.name} <{who.email}>  {who.at}"


def _locked(lock: Lock, row: Row) -> Iterator[tuple[str, str]]:
    source = lock.source
    yield "source", source.commit
    yield "  subject", source.subject
    yield "  author", f"{source.author}  {source.committed_at}"
    yield "  tree", source.tree
    if source.snapshot is not None:
        yield "  snapshot", source.snapshot
    for change in source.changes[:_CHANGES]:
        yield "  change", change
    if len(source.changes) > _CHANGES:
        yield "  change", f"and {len(source.changes) - _CHANGES} more"
    yield "image", lock.image.reference
    yield "  as", row.image or "not built when this was committed"
    for name, role in lock.roles.items():
        yield "role", f"{name} on {', '.join(role.hosts)}"
    for name, each in lock.accessories.items():
        yield "accessory", f"{name} on {', '.join(each.hosts)}: {each.image}"
    yield "fingerprint", lock.fingerprint
