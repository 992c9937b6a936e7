"""What a lock says of deploy hooks: which there are, which would run, which differ here."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import msgspec

from lockship.errors import UsageError
from lockship.lock.hooks import FOLDER, NAMES
from lockship.lock.model import Lock

if TYPE_CHECKING:
    from lockship.deploy.plan import Command
    from lockship.deploy.steps import Plan
    from lockship.git import Repository


class Standing(msgspec.Struct, frozen=True):
    """A hook, its locked blob (None: none is), and how the working tree's compares."""

    name: str
    blob: str | None
    verdict: str


def asked_for(value: str | None) -> frozenset[str]:
    """Read names of hooks with commas between them, or `all`. Raises UsageError for another."""
    if value is None:
        return frozenset()
    if value == "all":
        return frozenset(NAMES)
    names = [name.strip() for name in value.split(",")]
    for name in names:
        _exists(name)
    return frozenset(names)


def skipped(lock: Lock, names: frozenset[str], command: str) -> tuple[str, ...]:
    """Return which of the lock's hooks that belong to a command don't run, in their order."""
    never = "post-deploy" if command == "rollback" else "post-rollback"
    locked = lock.hooks.blobs if lock.hooks else {}
    return tuple(name for name in locked if name in names and name != never)


def _exists(name: str) -> None:
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1)
        raise UsageError(
            f"There is no hook called '{name}'.",
            hint=f"Did you mean {near[0]}?" if near else f"There are: {', '.join(NAMES)}.",
        )


def known(lock: Lock, name: str) -> None:
    """Raise UsageError where the lock has no such hook."""
    locked = lock.hooks.blobs if lock.hooks else {}
    if name in locked:
        return
    _exists(name)
    raise UsageError(
        f"The lock has no {name} hook.",
        hint=f"Locked are: {', '.join(locked)}."
        if locked
        else f"Write {FOLDER}/{name}, commit it and `lockship prepare`.",
    )


def would_run(
    lock: Lock, plan: Plan, command: Command, skip: frozenset[str] = frozenset()
) -> list[str]:
    """Return the locked hooks that run where the plan is carried out, and all goes well.

    All but `skip`.
    """
    from lockship.deploy.moments import asked_before_switch

    moments = ["pre-connect"]
    if not plan.empty:
        moments.append("pre-deploy")
        moments += ["pre-switch"] if asked_before_switch(plan) else []
        moments.append("post-rollback" if command == "rollback" else "post-deploy")
    locked = lock.hooks.blobs if lock.hooks else {}
    return [name for name in moments if name in locked and name not in skip]


def standing(lock: Lock, repository: Repository, below: str) -> list[Standing]:
    """Compare the locked hooks with those of the working tree, for the service in `below`."""
    from lockship.prepare.hooks import in_working_tree

    locked = lock.hooks.blobs if lock.hooks else {}
    here = dict(in_working_tree(repository, below))
    found = []
    for name in NAMES:
        if name not in locked and name not in here:
            continue
        if name not in locked:
            verdict = "not locked"
        elif name not in here:
            verdict = "not in the working tree"
        elif here[name] is None:
            verdict = "not an executable file in the working tree"
        else:
            verdict = "as locked" if here[name] == locked[name] else "differs in the working tree"
        found.append(Standing(name, locked.get(name), verdict))
    return found
