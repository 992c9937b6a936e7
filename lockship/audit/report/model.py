"""The frozen value of a report: what `--json` prints, and what both pages are made of."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from lockship.audit.entry import RECORDS
from lockship.audit.finding import Finding
from lockship.audit.report.figures import Bucket, Figures
from lockship.audit.rows import Row
from lockship.host.journal import Act as Command
from lockship.host.journal import Outcome
from lockship.lock.diff import Difference

Basis = Literal["journals", "locks"]


class OnHost(Struct, frozen=True, rename="kebab"):
    """A journal's line: what came of an act on one host, and when it ended there."""

    host: str
    at: str
    outcome: Outcome


class Act(Struct, frozen=True, kw_only=True, rename="kebab"):
    """What the journals of several hosts tell of one act, such as a deploy.

    `at` is when it ended on the last host; `outcome` that of the host where it went worst. `state`
    is the id of the lockfile state that it is shown with; None where no committed lock is its.
    """

    at: str
    seconds: int
    project: str
    command: Command
    outcome: Outcome
    version: str
    fingerprint: str
    image_id: str
    performer: str
    origin: str
    hosts: tuple[OnHost, ...]
    state: str | None = None


class Until(Struct, frozen=True, rename="kebab"):
    """When a state ended: the next commit that changed its lockfile, and to what."""

    at: str
    commit: str
    version: str | None


class Source(Struct, frozen=True, rename="kebab"):
    """What a lock says of its source beside what the row has. `roles` are names and hosts."""

    tree: str
    snapshot: str | None
    changes: tuple[str, ...]
    reference: str
    roles: tuple[tuple[str, tuple[str, ...]], ...]


class State(Struct, frozen=True, kw_only=True, rename="kebab"):
    """One lockfile state, or a recorded deploy, with everything that `audit show` says of it.

    `outcome` is what the commit's record or the journals say came of it: `deployed`, `failed` (no
    host was switched), `undone`, `attention`; `unrecorded` where nobody says; None where the state
    is no deploy (a file that moved, an image that was recorded). `differences` are to the lock
    before at its place, which was of version `before`.
    """

    id: str
    seconds: int
    row: Row
    outcome: str | None
    source: Source | None
    until: Until | None
    before: str | None
    differences: tuple[Difference, ...]
    acts: tuple[Act, ...]
    findings: tuple[Finding, ...]

    @property
    def is_lockfile(self) -> bool:
        """Whether this is a lockfile's state; else it is a deploy that a commit records."""
        return self.row.kind not in RECORDS


class Scope(Struct, frozen=True, kw_only=True, rename="kebab"):
    """What the report is of, and when and from what it was made.

    `commits` are where history was looked at from, `ref` how the person called that. All times are
    by RFC 3339; `begin` and `end` are those of the period that the figures are of. `chosen` are the
    options that narrowed it, by name. `basis` says for each project what its figures are made from.
    """

    made: str
    made_by: str
    ref: str
    commits: tuple[str, ...]
    remote: str | None
    projects: tuple[str, ...]
    begin: str
    end: str
    chosen: dict[str, str]
    basis: dict[str, Basis]


class Verification(Struct, frozen=True, kw_only=True, rename="kebab"):
    """What `audit verify` finds, and the words that repeat it."""

    command: str
    locks: int
    holds: bool
    hosts: tuple[str, ...] | None
    findings: tuple[Finding, ...]


class Mark(Struct, frozen=True, kw_only=True, rename="kebab"):
    """One deploy on the time line; `state` is the id that it leads to.

    `back` says that it is a rollback; `lead` are the seconds from the source commit, where known.
    """

    seconds: int
    at: str
    project: str
    version: str
    fingerprint: str
    outcome: str
    back: bool
    forced: bool
    lead: int | None
    state: str | None


class Report(Struct, frozen=True, kw_only=True, rename="kebab"):
    """Everything that a report says. States and marks are newest first, buckets oldest first.

    `unexplained` are acts on hosts that are of no committed lock.
    """

    scope: Scope
    figures: Figures
    by_project: dict[str, Figures]
    marks: tuple[Mark, ...]
    buckets: tuple[Bucket, ...]
    states: tuple[State, ...]
    unexplained: tuple[Act, ...]
    verification: Verification
