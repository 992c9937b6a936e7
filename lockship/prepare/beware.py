"""What a lock newly allows that whoever prepares should know."""

from __future__ import annotations

from lockship.lock.model import Lock
from lockship.prepare.accessories import exposed


def beware(lock: Lock, before: Lock | None) -> tuple[str, ...]:
    """Return a note on each role and accessory that is privileged now and wasn't before.

    And on each port of an accessory that is open to others, whether it was before or not.
    """
    now, then = _privileged(lock), _privileged(before) if before else []
    return (
        *(
            f"{each} is privileged: what runs in it can do whatever root can on its hosts."
            for each in now
            if each not in then
        ),
        *exposed(lock.accessories),
    )


def _privileged(lock: Lock) -> list[str]:
    roles = [f"Role {name}" for name, each in lock.roles.items() if each.options.privileged]
    return roles + [
        f"Accessory {name}" for name, each in lock.accessories.items() if each.options.privileged
    ]
