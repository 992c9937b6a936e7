"""What the verdict says: objections, which stop a push, and notes, which don't."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lockship.history.truth import Kind

Why = Literal[
    "detached",  # the source commit is neither pushed nor on the remote
    "unpushed",  # the snapshot isn't on the remote, and isn't pushed along
    "dirty",  # the policy allows no forced lock
    "unbuilt",  # the policy wants an artifact
    "stale",  # the policy wants the lock to be of the pushed tip's content
    "unsigned",  # the policy wants a signed commit
]


@dataclass(frozen=True, slots=True)
class Place:
    """A lockfile in a commit, and what a command that mends it has to know.

    `branch` is the local one that is pushed with it ('': none, or several). `alone`: the commit is
    a pushed tip, and changes lockfiles only. `replaced`: its parent has this lockfile too. `here`:
    the commit is a pushed tip, and checked out.
    """

    commit: str
    subject: str
    path: bytes
    parents: tuple[str, ...] = ()
    branch: str = ""
    alone: bool = False
    replaced: bool = False
    here: bool = False


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing for which a push is refused. `field` is the lock's key; `mend` a command."""

    place: Place
    kind: Kind | Why
    field: str
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that a person should know, and that stops nothing."""

    place: Place
    kind: Literal["rollback", "weakened", "signers"]
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was judged (`locks`: how many states of lockfiles), and what came of it."""

    locks: int
    objections: tuple[Objection, ...] = ()
    notes: tuple[Note, ...] = ()
