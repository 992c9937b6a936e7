"""The version that follows from content, as `prepare` gives it and the verdict expects it."""

from __future__ import annotations

from typing import Final

SNAPSHOTS: Final = "refs/lockship/snapshots/"
_SHORT: Final = 12  # hex digits of a git id: enough for any repository, few enough to be read


def derived_version(commit: str, dirty_tree: str | None = None) -> str:
    """Return the version of a source commit, or of the forced content tree on top of it."""
    version = commit[:_SHORT]
    return f"{version}-dirty-{dirty_tree[:_SHORT]}" if dirty_tree else version


def snapshot_ref(commit: str, tree: str) -> str:
    """Return the ref of a forced lock's snapshot: after its content, also where it has a name."""
    return f"{SNAPSHOTS}{derived_version(commit, tree)}"
