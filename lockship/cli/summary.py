"""What `prepare` says on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lockship.cli.differences import difference_lines
from lockship.cli.text import visible
from lockship.lock.model import Lock

if TYPE_CHECKING:
    from lockship.prepare.prepare import Prepared

SHOWN_DIFFERENCES: Final = 30
_SHORT: Final = 12


def prepared_lines(prepared: Prepared) -> list[str]:
    """Say what was locked, what changed in the lock, and what comes next."""
    lock = prepared.lock
    lines = [
        f"{lock.project} {lock.service.version}",
        f"  source  {lock.source.commit[:_SHORT]} {visible(lock.source.subject)}",
        f"  state   {_state(lock)}",
    ]
    lines += [f"  note    {visible(note)}" for note in prepared.notes]
    for pin in prepared.upgraded:
        before, after = (visible(", ".join(keys) or "nothing") for keys in (pin.before, pin.after))
        lines.append(f"  pin     {visible(pin.name)}: {before} → {after}")
    name = prepared.path.name
    if not prepared.changed:
        return [*lines, f"  lock    {name} is as it was", "", "next: lockship deploy"]
    if prepared.before is None:
        lines.append(f"  lock    wrote {name}")
    else:
        lines.append(f"  lock    wrote {name}; what changed:")
        changes = difference_lines(prepared.differences)
        lines += [f"          {line}" for line in changes[:SHOWN_DIFFERENCES]]
        more = len(changes) - SHOWN_DIFFERENCES
        if more > 0:
            lines.append(f"          and {more} more; `git diff {name}` shows all")
    return [*lines, "", f"next: git add {name} && git commit, then lockship deploy"]


def _state(lock: Lock) -> str:
    if not lock.source.dirty:
        return "clean, released by name" if lock.source.release else "clean"
    count = len(lock.source.changes)
    changes = f"{count} change{'s' if count != 1 else ''} that no commit has"
    kept = f"kept in git as {(lock.source.snapshot or '')[:_SHORT]}"
    return f"forced on a dirty tree: {changes}, {kept}"
