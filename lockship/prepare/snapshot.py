"""Write the dirty working tree as a git tree and commit, without touching what a person works with.

git itself does it, with a copy of the index: so ignores, attributes, filters, line endings and
submodules are as in `git commit`, and the real index, HEAD and stash stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lockship.errors import LockshipError, RefusedError
from lockship.git import Repository
from lockship.gitobjects import SUBMODULE, quoted
from lockship.lock.names import is_lockfile_name
from lockship.lock.version import SNAPSHOTS
from lockship.selection import Paths, covers

_LOCKFILES: Final = ":(glob)**/.shiplock*"  # git sorts most out; `is_lockfile_name` decides
_ADD: Final = (
    *("-c", "core.splitIndex=false"),  # a split index is written beside the real one
    *("-c", "core.safecrlf=false"),  # nobody checks this tree out over their files
    *("-c", "advice.addEmbeddedRepo=false"),
    *("add", "--all"),
)


def write_tree(repository: Repository, head: str, env: Mapping[str, str], paths: Paths = ()) -> str:
    """Write the working tree, as `git add --all` sees it, without lockfiles; return the tree's id.

    Only what is at `paths`, where there are some. `head` is the commit that HEAD names; `env` is
    added to git's: where it writes objects. Raises RefusedError where git can't add a path, or
    where a folder is a repository of its own without being a submodule.
    """
    import shutil  # these two load slowly, and only a dirty tree needs them
    import tempfile

    with tempfile.TemporaryDirectory(prefix="lockship-") as folder:
        index = Path(folder) / "index"
        original = repository.git_dir / "index"
        if original.exists():
            # With its time: git compares it with the files' to find edits in the same instant.
            shutil.copy2(original, index)
        here = {**env, "GIT_INDEX_FILE": str(index)}
        try:
            added = _there(repository, paths, here)
            literally = {**here, "GIT_LITERAL_PATHSPECS": "1"}
            repository.run(*_ADD, *_sparse_words(repository), "--", *added, env=literally)
        except LockshipError as error:
            raise RefusedError(
                "git can't add everything that is in the working tree.",
                details=error.details,
                hint="Mend, commit or ignore what it names.",
            ) from error
        asked = () if paths else (_LOCKFILES,)
        staged = repository.run("ls-files", "--stage", "-z", *asked, env=here).split(b"\0")
        named = [(line, line.partition(b"\t")[2]) for line in staged if line]
        out = [
            path
            for line, path in named
            if not covers(paths, path) or (line.startswith(b"100") and _is_lockfile(path))
        ]
        if out:
            gone = b"".join(path + b"\0" for path in out)
            repository.run("update-index", "-z", "--force-remove", "--stdin", stdin=gone, env=here)
        _refuse_foreign_repositories(repository, head, here)
        return repository.run("write-tree", env=here).decode().strip()


def _sparse_words(repository: Repository) -> tuple[str, ...]:
    """Return what makes git add paths outside of a sparse checkout (git before 2.34 just does)."""
    asked = ("config", "--type=bool", "--get", "core.sparseCheckout")
    said = repository.run(*asked, ok=(0, 1)).strip()
    return ("--sparse",) if said == b"true" else ()


def _there(repository: Repository, paths: Paths, env: Mapping[str, str]) -> list[bytes]:
    """Return the paths that `git add` finds: in the working tree, or in the index."""
    if not paths:
        return [b"."]
    indexed = repository.run("ls-files", "-z", env=env).split(b"\0")
    root = os.fsencode(repository.root)
    return [
        path
        for path in sorted(paths)
        if os.path.lexists(root + b"/" + path) or any(covers((path,), each) for each in indexed)
    ]


def _is_lockfile(path: bytes) -> bool:
    return is_lockfile_name(path.rpartition(b"/")[2])


def _refuse_foreign_repositories(repository: Repository, head: str, env: Mapping[str, str]) -> None:
    """Raise RefusedError where a repository inside this one isn't a submodule of it."""
    changed = repository.run(
        *("diff-index", "--cached", "-z", "--raw", "--no-renames", "--ignore-submodules=none"),
        *("--diff-filter=A", head),
        env=env,
    ).split(b"\0")
    new = [path for line, path in zip(changed[::2], changed[1::2], strict=False) if _to_link(line)]
    if not new:
        return
    listed = repository.run(
        *("config", "--null", "--blob", ":.gitmodules", "--get-regexp", r"^submodule\..*\.path$"),
        env=env,
        ok=(0, 1, 128),  # 1: no such key; 128: no such file
    )
    known = {line.partition(b"\n")[2] for line in listed.split(b"\0")}
    foreign = [path for path in new if path not in known]
    if foreign:
        raise RefusedError(
            "A folder here is a git repository of its own, and not a submodule.",
            details=[quoted(path) for path in foreign],
            hint="Ignore it (.gitignore), or add it with `git submodule add`.",
        )


def _to_link(line: bytes) -> bool:
    return line.split(b" ")[1:2] == [b"%o" % SUBMODULE]


def keep(repository: Repository, data: bytes, version: str) -> str:
    """Write the commit, and the ref that keeps it from git's gc; return the commit's id."""
    oid = repository.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=data)
    commit = oid.decode().strip()
    repository.run("update-ref", f"{SNAPSHOTS}{version}", commit)
    return commit
