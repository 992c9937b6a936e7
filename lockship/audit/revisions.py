"""What a person calls a part of history, as ids of commits."""

from __future__ import annotations

from typing import Final

from lockship.errors import UsageError
from lockship.git import Repository

_FORMAT: Final = "%(objecttype) %(objectname) %(*objecttype) %(*objectname)"
_NAMESPACES: Final = ("refs/heads", "refs/remotes", "refs/tags")


def tip(repository: Repository, name: str) -> str:
    """Return the commit that a branch, a tag or an id names. Raises UsageError."""
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    found = repository.run(*asked, ok=(0, 1, 128)).decode().strip()
    if not found:
        raise UsageError(
            f"There is no commit '{name}' in this repository.",
            hint="`git log` and `git branch --all` show what there is.",
        )
    return found


def every_tip(repository: Repository) -> list[str]:
    """Return the commits of all branches and tags, sorted; not the snapshots, stash or notes."""
    said = repository.run("for-each-ref", f"--format={_FORMAT}", *_NAMESPACES).decode()
    found = set()
    for line in said.splitlines():
        words = line.split()  # a lightweight tag or a branch has two, an annotated tag four
        kind, oid = words[-2:]
        if kind == "commit":
            found.add(oid)
    return sorted(found)


def part(repository: Repository, asked: str) -> list[str]:
    """Return a range such as `v1..HEAD`, or the whole history of one commit, as revisions.

    A revision is an id, or `^` and the id of what is left out. Raises UsageError.
    """
    if ".." not in asked:
        return [tip(repository, asked)]
    start, _, end = asked.partition("..")
    return [tip(repository, end.lstrip(".") or "HEAD"), "^" + tip(repository, start or "HEAD")]


def is_ancestor(repository: Repository, old: str, new: str) -> bool:
    """Tell whether a commit is in another one's history."""
    process = repository.start("merge-base", "--is-ancestor", old, new)
    process.communicate()
    return process.returncode == 0


def as_of(repository: Repository, tip: str, seconds: int) -> str | None:
    """Return the commit that a branch stood at at a time, by the committers' dates; None if none.

    Only the branch's own line (first parents) counts: what a merge brought came with the merge.
    """
    words = ("rev-list", "--max-count=1", "--first-parent", f"--before={seconds}", tip)
    return repository.run(*words).decode().strip() or None
