"""The snapshot of a forced lock: its ref, its commit byte for byte, and what it changes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Final

from lockship.git import Repository
from lockship.gitobjects import Commit, quoted
from lockship.lock.names import is_lockfile_name

_WHO: Final = "lockship <lockship@localhost>"
# A lock is read by people, and has a limit.
_KEPT_CHANGES: Final = 1000
_KEPT_CHARACTERS: Final = 100_000


def commit_data(tree: str, source: Commit, version: str) -> bytes:
    """Return the snapshot's raw commit: the same content gives the same bytes, so the same id."""
    lines = (
        f"tree {tree}",
        f"parent {source.id}",
        f"author {_WHO} {source.date}",
        f"committer {_WHO} {source.date}",
        "",
        f"lockship snapshot {version}",
    )
    return ("\n".join(lines) + "\n").encode()


def changes(
    repository: Repository,
    before: str,
    after: str,
    env: Mapping[str, str],
    paths: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return what tree `after` changes against `before`, as a lock says it: `M app.py`, sorted.

    At `paths` only, where there are some.

    Lockfiles don't count. A long list is cut, and ends in `... and N more`.
    """
    raw = repository.run(
        *("diff-tree", "-r", "-z", "--raw", "--no-renames", "--ignore-submodules=none"),
        *(before, after, "--", *paths),
        env={**env, "GIT_LITERAL_PATHSPECS": "1"},
    ).split(b"\0")
    found: list[tuple[bytes, str]] = []
    for line, path in zip(raw[::2], raw[1::2], strict=False):
        old, new = line.removeprefix(b":").split(b" ")[:2]
        letter = line.rpartition(b" ")[2][:1].decode()
        if is_lockfile_name(path.rpartition(b"/")[2]):
            # A lockfile isn't content: that side of the change isn't there.
            there = [mode not in (b"000000", b"100644", b"100755") for mode in (old, new)]
            letter = {(True, False): "D", (False, True): "A", (True, True): letter}.get(
                (there[0], there[1]), ""
            )
        if letter:
            found.append((path, letter))
    return _shortened([f"{letter} {quoted(path)}" for path, letter in sorted(found)])


def _shortened(changed: list[str]) -> tuple[str, ...]:
    sizes = itertools.accumulate(len(change) for change in changed[:_KEPT_CHANGES])
    kept = changed[: sum(size <= _KEPT_CHARACTERS for size in sizes)]
    more = len(changed) - len(kept)
    return (*kept, f"... and {more} more") if more else tuple(kept)
