"""The join of a lock and its secrets: look them up, and hide them before anything else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lockship.cli import masking
from lockship.lock import needs

if TYPE_CHECKING:
    from lockship.lock.model import Lock
    from lockship.secrets.resolve import Outcome
    from lockship.secrets.secret import Secret


def resolved(sources: Mapping[str, str], root: Path) -> dict[str, Secret]:
    """Look up the secrets of a lock; paths begin at `root`, the repository's.

    Raises LockshipError that names each missing one.
    """
    if not sources:
        return {}
    from lockship.secrets.resolve import all_or_raise

    return all_or_raise(attempted(sources, root), sources)


def for_building(lock: Lock, root: Path) -> dict[str, Secret]:
    """Look up those of a lock's secrets that building and pushing its image takes."""
    wanted = needs.for_building(lock.build, lock.registry)
    return resolved({name: lock.secrets[name] for name in wanted}, root)


def attempted(sources: Mapping[str, str], root: Path) -> dict[str, Outcome]:
    """Try each secret. What was found is never printed from then on, whatever fails."""
    from lockship.secrets.kind import Place
    from lockship.secrets.resolve import attempt
    from lockship.secrets.secret import Secret

    outcomes = attempt(sources, Place(root, os.environ))
    masking.hide(each.reveal() for each in outcomes.values() if isinstance(each, Secret))
    return outcomes
