"""Rows of the audit as a table, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import msgspec

from lockship.cli import console
from lockship.cli.text import visible

if TYPE_CHECKING:
    from lockship.audit.rows import Row

_HEADER: Final = ("WHEN", "WHO", "SERVICE", "VERSION", "SOURCE", "ARTIFACT", "MARKS")
_SHORT: Final = 12
_SUBJECT: Final = 48
# What a spreadsheet takes for the start of a formula (OWASP, "CSV Injection").
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def show(rows: Sequence[Row], *, as_json: bool, as_csv: bool) -> None:
    """Print rows on stdout."""
    if as_json:
        console.data_json({"entries": rows})
    elif as_csv:
        for line in _csv(rows):
            console.data(line)
    elif rows:
        from lockship.cli import table

        table.show(_HEADER, [_cells(row) for row in rows])
    else:
        console.say("No lockfile state in this history is as asked for.")


def _cells(row: Row) -> tuple[str, ...]:
    project = ".".join(part for part in (row.service, row.destination) if part)
    return (
        row.at.replace("T", " ")[: len("2026-03-03 14:00")] + " " + row.at[19:],
        who(row),
        project or row.path,
        row.version or "",
        source(row),
        artifact(row),
        "; ".join(marks(row)),
    )


def who(row: Row) -> str:
    """Name the author, and the committer where that is somebody else."""
    same = (row.author.name, row.author.email) == (row.committer.name, row.committer.email)
    return row.author.name if same else f"{row.author.name} (by {row.committer.name})"


def source(row: Row) -> str:
    """Name the source commit and its subject."""
    if row.source_commit is None:
        return ""
    subject = row.source_subject or ""
    cut = subject if len(subject) <= _SUBJECT else subject[: _SUBJECT - 1] + "…"
    return f"{row.source_commit[:_SHORT]} {cut}"


def artifact(row: Row) -> str:
    """Name what hosts run by the start of its digest or id."""
    if row.image is None:
        return "not built" if row.version else ""
    return " ".join(each.rpartition("sha256:")[2][:_SHORT] for each in row.image.split())


def marks(row: Row) -> Iterator[str]:
    """Say what is particular about a state, what is wrong last."""
    if row.kind in ("recorded", "attempted"):
        yield _record(row)
    elif row.kind == "rollback":
        yield f"rollback to {(row.returns_to or '')[:_SHORT]}"
    elif row.kind == "moved":
        yield f"moved from {row.moved_from}"
    elif row.kind not in ("locked", "unreadable"):
        yield row.kind
    if row.forced:
        yield "forced"
    if row.signature != "none":
        yield "signed" if row.signature == "unchecked" else f"signature: {row.signature}"
    if row.same_as:
        yield f"as in {row.same_as[:_SHORT]}"
    if row.kind not in ("recorded", "attempted") and (told := _told(row)):
        yield _in_turn(told)
    if left := dict.fromkeys(h for r in (*row.attempts, row.record) if r for h in r.skipped_hooks):
        yield f"hooks skipped: {' '.join(left)}"
    if row.path.rpartition("/")[0]:
        yield f"in {row.path.rpartition('/')[0]}"
    yield from row.problems


def _record(row: Row) -> str:
    """Say what a commit records that locks nothing: another deploy, or one that was tried."""
    ended = " ".join(_told(row)) or "deployed"
    back = row.record is not None and row.record.command == "rollback"
    how = "tried" if row.kind == "attempted" else "recorded"
    return f"{'rollback ' if back else ''}{how}: {ended}"


def _told(row: Row) -> list[str]:
    """Return how the lock's deploys ended, as far as they were recorded."""
    return [each.outcome for each in (*row.attempts, row.record) if each and each.outcome]


def _in_turn(outcomes: Sequence[str]) -> str:
    """Say how several deploys ended, one after the other: `failed, then deployed 3 times`."""
    runs = [(outcome, len(list(same))) for outcome, same in groupby(outcomes)]
    return ", then ".join(o if times == 1 else f"{o} {times} times" for o, times in runs)


def _csv(rows: Sequence[Row]) -> Iterator[str]:
    for cells in (_COLUMNS, *([_safe(value) for value in _flat(row)] for row in rows)):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(cells)
        yield line.getvalue()


_COLUMNS: Final = (
    *("at", "commit", "subject", "author-name", "author-email", "committer-name"),
    *("committer-email", "signature", "path", "kind", "service", "destination", "version"),
    *("fingerprint", "source-commit", "source-subject", "source-author", "source-committed-at"),
    *("forced", "release", "hosts", "image", "moved-from", "returns-to", "same-as", "outcome"),
    *("command", "performer", "deployed-at", "reason", "skipped-hooks", "problems"),
)


_RECORDED: Final = ("outcome", "command", "performer", "deployed-at", "reason", "skipped-hooks")


def _flat(row: Row) -> list[Any]:
    data = msgspec.to_builtins(row)
    record = data.pop("record") or {}
    record["outcome"] = _in_turn(_told(row))
    for person in ("author", "committer"):
        data |= {f"{person}-{key}": value for key, value in data.pop(person).items()}
    flat = data | {key: record.get(key) for key in _RECORDED}
    return [flat[name] for name in _COLUMNS]


def _safe(value: Any) -> str:
    """Write one cell: nothing that a spreadsheet computes, nothing that a terminal obeys."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "; ".join(value) if isinstance(value, list | tuple) else str(value or "")
    return "'" + visible(text) if text.startswith(_FORMULA) else visible(text)
