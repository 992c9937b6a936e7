"""The user's clone as a place of objects: which folders hold them, and what git fetches itself.

Nothing here reads a working tree, HEAD or an index, and nothing writes, except that git itself
fetches the missing objects of a partial clone, as it does whenever it reads one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lockship.build.gitrun import Git
from lockship.errors import RefusedError
from lockship.git import Repository, environment

_PROMISOR = re.compile(rb"^remote\.(.+)\.(?:promisor|partialclonefilter) ", re.M | re.I)


@dataclass(frozen=True)
class Clone:
    """A repository or one of its submodules, by its git folders.

    `git_dirs` are the folders with `modules/` and `lfs/` in them: that of a linked worktree, then
    the common one. `root` is where its working tree would be.
    """

    root: Path
    git: Git
    git_dirs: tuple[Path, ...]

    @property
    def common_dir(self) -> Path:
        """What all worktrees share."""
        return self.git_dirs[-1]

    @property
    def objects(self) -> Path:
        """The folder of its object store."""
        return self.common_dir / "objects"

    def promisor(self) -> str | None:
        """Return the remote that a partial clone fetches from; None in a full clone."""
        asked = ("config", "--get-regexp", r"^remote\..*\.(promisor|partialclonefilter)$")
        found = _PROMISOR.search(self.git.ask(*asked).stdout)
        return os.fsdecode(found[1]) if found else None

    def fetch(self, ids: Iterable[str]) -> None:
        """Fetch these objects from the promisor remote, if there is one, all at once.

        The same request that git makes for itself when it misses one (promisor-remote.c).
        """
        remote = self.promisor()
        if remote is None:
            return
        self.git.run(
            *("-c", "fetch.negotiationAlgorithm=noop", "fetch", remote, "--quiet", "--no-tags"),
            *("--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", "--stdin"),
            stdin="".join(f"{each}\n" for each in ids).encode(),
        )

    def submodule(self, name: bytes, path: bytes) -> Clone | None:
        """Return the clone of the submodule called `name` at `path`; None when it isn't here.

        Its objects are in `modules/NAME` of the git folder, or, as in old times, in a `.git`
        folder of its own. Raises RefusedError for a name that leads out of there.
        """
        if not name or name.startswith(b"/") or b".." in name.split(b"/"):
            raise RefusedError(f"{os.fsdecode(name)!r} in .gitmodules is no submodule's name.")
        root = self.root / os.fsdecode(path)
        candidates = [git_dir / "modules" / os.fsdecode(name) for git_dir in self.git_dirs]
        for git_dir in (*candidates, root / ".git"):
            if (git_dir / "objects").is_dir():
                env = {**self.git.env, "GIT_DIR": str(git_dir)}
                return Clone(root, Git(git_dir, env), (git_dir,))
        return None


def open_clone(root: Path) -> Clone:
    """Return the clone around `root`. Raises what `Repository.discover` raises."""
    found = Repository.discover(root)
    git = Git(found.root, environment(os.environ))
    return Clone(found.root, git, tuple(dict.fromkeys((found.git_dir, found.common_dir))))
