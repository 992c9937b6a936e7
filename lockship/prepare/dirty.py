"""What `git status` shows, and what git is in the middle of. Never touches the index."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lockship.errors import RefusedError
from lockship.git import Repository, failure
from lockship.gitobjects import quoted
from lockship.lock.names import is_lockfile_name
from lockship.prepare.ahead import STATUS
from lockship.selection import Paths, covers, touches

SHOWN_PATHS: Final = 20
_FILE_MODES: Final = frozenset({b"000000", b"100644", b"100755"})


@dataclass(frozen=True)
class Dirty:
    """A path that differs from HEAD: two letters as `git status --short` shows them.

    `inside` says that a submodule has changes of its own, which no tree of this repository holds.
    """

    letters: str
    path: bytes
    inside: bool = False

    def __str__(self) -> str:
        return f"{self.letters} {quoted(self.path)}"


def finish(repository: Repository, status: subprocess.Popen[bytes]) -> tuple[Dirty, ...]:
    """Return what the `status` that was begun found, lockfiles aside."""
    out, said = status.communicate()
    if status.returncode:
        raise failure(("status",), status.returncode, said)
    found = _parse(repository.root, out)
    if found and all(each.letters == "??" and each.path.endswith(b"/") for each in found):
        # New folders only: perhaps there is nothing but lockfiles in them.
        found = _parse(repository.root, repository.run(*STATUS, "--untracked-files=all"))
    return found


def within(found: Sequence[Dirty], paths: Paths) -> tuple[Dirty, ...]:
    """Return those that are of the content at `paths`; of a new folder it isn't known what is."""
    return tuple(
        each
        for each in found
        if covers(paths, each.path.removesuffix(b"/"))
        or (each.path.endswith(b"/") and touches(paths, each.path.removesuffix(b"/")))
    )


def _parse(root: Path, out: bytes) -> tuple[Dirty, ...]:
    """Parse porcelain version 2 (git-status(1), "Porcelain Format Version 2", with -z)."""
    found: list[Dirty] = []
    for line in out.split(b"\0"):
        kind, _, rest = line.partition(b" ")
        if kind == b"?":
            if not (is_lockfile_name(_name(rest)) and _is_file(root, rest)):
                found.append(Dirty("??", rest))
        elif kind in (b"1", b"u"):
            fields = rest.split(b" ", 7 if kind == b"1" else 9)
            letters, submodule, path = fields[0], fields[1], fields[-1]
            modes = set(fields[2 : 5 if kind == b"1" else 6])
            if not (is_lockfile_name(_name(path)) and modes <= _FILE_MODES):
                inside = submodule[2:4] != b".." and submodule[:1] == b"S"
                found.append(Dirty(letters.decode().replace(".", " "), path, inside))
    return tuple(found)


def _name(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]


def _is_file(root: Path, path: bytes) -> bool:
    full = root / path.decode(errors="surrogateescape")
    return full.is_file() and not full.is_symlink()


def refuse(found: Sequence[Dirty], ongoing: Sequence[str]) -> None:
    """Raise RefusedError where something isn't committed, or git is in the middle of something."""
    if ongoing:
        raise RefusedError(
            f"Git is in the middle of {' and '.join(ongoing)}.",
            details=_listed(found),
            hint="Finish or abort it first, or lock the state as it is with --force.",
        )
    if found:
        count = "1 path differs" if len(found) == 1 else f"{len(found)} paths differ"
        raise RefusedError(
            f"The working tree is dirty: {count} from HEAD.",
            details=_listed(found),
            hint="Commit; or stash or ignore (`git stash -u`, .gitignore); "
            "or lock a snapshot of it with --force.",
        )


def refuse_submodules(found: Sequence[Dirty]) -> None:
    """Raise RefusedError where a submodule has changes of its own: a snapshot can't hold them."""
    inside = [each for each in found if each.inside]
    if inside:
        raise RefusedError(
            "A submodule has uncommitted changes inside, which a snapshot can't hold.",
            details=_listed(inside),
            hint="Commit or stash them in the submodule, then repeat.",
        )


def _listed(found: Sequence[Dirty]) -> list[str]:
    lines = [str(each) for each in found[:SHOWN_PATHS]]
    more = len(found) - SHOWN_PATHS
    return [*lines, f"... and {more} more"] if more > 0 else lines
