"""What a state or a deploy is called: outcomes, marks, changes; the same words on every page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lockship.audit.report.model import Act, Mark, Report, State
from lockship.audit.words import in_words
from lockship.cli.audit import listing
from lockship.lock.diff import Difference

OUTCOMES: Final = {
    "deployed": "deployed",
    "failed": "failed",
    "undone": "undone",
    "attention": "needs attention",
    "done": "done",
    "unrecorded": "not recorded",
}
FAILED: Final = ("failed", "undone", "attention")
_KINDS: Final = {
    "built": "image recorded",
    "moved": "moved",
    "removed": "removed",
    "rewritten": "rewritten",
    "unreadable": "unreadable",
    "locked": "locked; deployed later",
    "rollback": "put back; deployed later",
    "recorded": "recorded",
    "attempted": "tried",
}
# What always changes with the source, and is said of each deploy anyway.
_FOLLOWS: Final = (
    *("service.version", "source.tree", "source.subject", "source.author"),
    *("source.committed-at", "source.changes", "source.snapshot", "image.tag"),
)
_CHANGES: Final = 20


def outcome(state: State) -> str:
    """Say what came of a state; of one that is no deploy what it is."""
    if state.outcome is None:
        return "as on another branch" if state.row.same_as else _KINDS[state.row.kind]
    return OUTCOMES.get(state.outcome, state.outcome)


def tokens(state: State) -> list[str]:
    """Return the words that the outcome's filter knows a state by."""
    found = [state.outcome if state.outcome in OUTCOMES else "other"]
    record = state.row.record
    if state.row.kind == "rollback" or (record is not None and record.command == "rollback"):
        found.append("rollback")
    if state.row.forced:
        found.append("forced")
    if state.findings or state.row.problems:
        found.append("wrong")
    return [word for word in found if word]


def marks(state: State) -> list[str]:
    """Return what is particular about a state; an outcome only where there were several."""
    record = state.row.record
    told = record.outcome if record else None
    return [mark for mark in listing.marks(state.row) if mark != told]


def shape(mark: Mark) -> str:
    """Return by which of the four shapes a deploy is drawn."""
    if mark.outcome in FAILED:
        return "failed"
    if mark.back:
        return "rollback"
    return "forced" if mark.forced else "deployed"


def projects(report: Report) -> str:
    """Name the services of a report."""
    return ", ".join(report.scope.projects) or "no service"


def project(state: State) -> str:
    """Name a state's service with its destination; its path where no lock says it."""
    parts = (state.row.service, state.row.destination)
    return ".".join(part for part in parts if part) or state.row.path


def act(told: Act) -> str:
    """Say what the journals say of one act."""
    where = ", ".join(
        each.host
        if each.outcome == told.outcome
        else f"{each.host} ({OUTCOMES.get(each.outcome, each.outcome)})"
        for each in told.hosts
    )
    ended = OUTCOMES.get(told.outcome, told.outcome)
    return f"{told.command}: {ended} on {where}, by {told.performer} from {told.origin}"


def changes(found: Sequence[Difference]) -> list[str]:
    """Say in words what changed; what only follows from another source is left out."""
    moved = next((each for each in found if each.field == "source.commit"), None)
    if moved is None or not moved.before:
        said = in_words(found)
    else:
        rest = (each for each in found if each is not moved and each.field not in _FOLLOWS)
        said = [f"source: {moved.before[:12]} → {moved.after[:12]}", *in_words(rest)]
    more = len(said) - _CHANGES
    return said if more <= 0 else [*said[:_CHANGES], f"and {more} more"]
