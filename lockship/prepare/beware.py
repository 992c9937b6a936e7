"""What a lock newly allows that whoever prepares should know."""

from __future__ import annotations

from lockship.lock.model import Lock


def beware(lock: Lock, before: Lock | None) -> tuple[str, ...]:
    """Return a note on each role that is privileged now and wasn't in the lock before."""
    known = before.roles if before else {}
    return tuple(
        f"Role {name} is privileged: what runs in it can do whatever root can on its hosts."
        for name, role in lock.roles.items()
        if role.options.privileged and not (name in known and known[name].options.privileged)
    )
