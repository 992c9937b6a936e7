"""One line of the audit: a state of a lockfile, or a record of a deploy. A frozen value."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from lockship.history.record import Record, ended_well
from lockship.history.walk import LockCommit
from lockship.lock.model import Lock

Kind = Literal[
    "locked",  # a lock that wasn't at this path before, in the commit's history
    "rollback",  # one that was, put back after another
    "built",  # the same lock with another [artifact]
    "rewritten",  # the same lock and artifact: comments, spaces, the file's mode
    "moved",  # the same file at another path
    "removed",
    "unreadable",
    # No state of a lockfile, but a commit that records a deploy:
    "recorded",  # of the lock that is in force there
    "attempted",  # of one that isn't: a rollback that was taken back
]
RECORDS: Final = ("recorded", "attempted")


class Entry(Struct, frozen=True, kw_only=True):
    """One state of one lockfile, and the commit that made it; or a commit that records a deploy.

    `mode`, `blob` and `before` are as in `LockChange`; `file` is the lockfile's path, `path` the
    same as git shows it to people. `lock` is None where the file was removed or can't be read
    (`problems` say why); `was` is the lock before, at the same path or, where the file moved, at
    the old one. `returns_to` is the commit where a rollback's lock stood before; `same_as` another
    commit, in no ancestry of this one, with the same lock at the same path: a cherry-pick, or a
    branch that was rewritten. `own` is what `deploy --commit` wrote into the commit's message, and
    `later`, oldest first, what it wrote into those of later commits while this state was in force.
    Those are entries too, without `mode` and `blob`; of one whose lock isn't known, `path` is ''.
    `problems` are what is wrong as far as the lock itself tells; `verify` tells the rest.
    """

    commit: LockCommit
    file: bytes
    path: str
    kind: Kind
    lock: Lock | None = None
    was: Lock | None = None
    mode: int | None = None
    blob: str | None = None
    before: str | None = None
    signed: bool = False
    moved_from: str | None = None
    returns_to: str | None = None
    same_as: str | None = None
    own: Record | None = None
    later: tuple[Record, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def records(self) -> tuple[Record, ...]:
        """How the deploys of this state ended, as far as git was told; oldest first."""
        return (self.own, *self.later) if self.own is not None else self.later

    @property
    def record(self) -> Record | None:
        """How the last of these ended."""
        return self.records[-1] if self.records else None

    @property
    def is_state(self) -> bool:
        """Whether this is a lockfile's state, and not only a record of a deploy."""
        return self.kind not in RECORDS

    @property
    def served(self) -> bool:
        """Whether the lock may have come to serve: nobody says of each deploy that it failed."""
        return not self.records or any(map(ended_well, self.records))

    @property
    def about(self) -> Lock | None:
        """The lock that this is about: the new one, else the one before."""
        return self.lock or self.was
