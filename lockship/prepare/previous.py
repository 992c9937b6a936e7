"""The lock that is there already: where it is, and what of it holds."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lockship.errors import RefusedError, UsageError
from lockship.lock import reader
from lockship.lock.model import Host, Lock
from lockship.lock.names import Destination, lockfile_name
from lockship.lock.shape import problems
from lockship.prepare.imagepins import pins_of


@dataclass(frozen=True)
class Previous:
    """The lock from before, None where there is no sound one, and what a person should know."""

    lock: Lock | None
    notes: tuple[str, ...] = ()

    @property
    def hosts(self) -> Mapping[str, Host]:
        """The hosts that it pins."""
        return self.lock.hosts if self.lock else {}

    @property
    def images(self) -> Mapping[str, str]:
        """The images that it pins: by their name, without the pin that a lock writes behind it."""
        return pins_of(self.lock) if self.lock else {}


def lock_path(root: Path, destination: str | None) -> Path:
    """Return where the lock is. Raises UsageError for a destination that can't be one."""
    for problem in problems(destination, Destination) if destination is not None else ():
        raise UsageError(f"{problem.found} can't be a destination.", hint=problem.expected)
    return root / lockfile_name(destination)


def read(path: Path, destination: str | None) -> Previous:
    """Read the lock at `path`. A damaged one, or another destination's, is noted and doesn't count.

    Raises RefusedError for a lock that is newer than this lockship, and where `path` isn't a
    regular file: a symlink could lead the writing out of the repository.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return Previous(None)
    if not stat.S_ISREG(mode):
        raise RefusedError(f"{path.name} is not a regular file.", hint="Remove it, then repeat.")
    try:
        lock = reader.read(path)
    except reader.NewerLockError:
        raise
    except RefusedError as error:
        return Previous(None, (f"{error.message} Nothing of it counts, its pins neither.",))
    if lock.service.destination != destination:
        other = lock.service.destination or "the default destination"
        return Previous(None, (f"{path.name} was the lock of {other}. Nothing of it counts.",))
    return Previous(lock)
