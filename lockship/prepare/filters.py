"""Refuse content that a filter would change: an image is built from the raw objects.

Git LFS is known: the build replaces its pointers. Another filter (git-crypt, say) keeps something
else in git than in the working tree, and building from the objects would ship that.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

from lockship.errors import RefusedError
from lockship.git import Repository
from lockship.gitobjects import Read, find_entry, quoted
from lockship.selection import covers

_KNOWN: Final = frozenset({b"lfs", b"set", b"unset", b"unspecified"})
_SHOWN: Final = 20


def refuse_filters(
    repository: Repository,
    read: Read,
    tree: str,
    attributes: Iterable[bytes],
    env: Mapping[str, str],
    paths: Collection[str] = (),
) -> None:
    """Raise RefusedError where a path of `tree` has a filter that isn't LFS.

    `attributes` are the paths of the tree's .gitattributes files; `paths` what of it is locked.
    """
    locked = [os.fsencode(path) for path in paths]
    found = (find_entry(read, tree, path) for path in attributes)
    if not any(entry and b"filter" in read(entry.id) for entry in found):
        return
    filtered = [
        (path, name)
        for path, name in _filters(repository, tree, env)
        if name not in _KNOWN and covers(locked, path)
    ]
    if filtered:
        names = b", ".join(sorted({name for _, name in filtered})).decode(errors="replace")
        shown = [quoted(path) for path, _ in filtered[:_SHOWN]]
        more = len(filtered) - _SHOWN
        raise RefusedError(
            f"Files here go through a git filter that lockship doesn't know: {names}.",
            details=[*shown, f"... and {more} more"] if more > 0 else shown,
            hint="An image is built from what git stores. Take `filter=` off these paths in "
            ".gitattributes, or keep them out of this repository.",
        )


def _filters(
    repository: Repository, tree: str, env: Mapping[str, str]
) -> list[tuple[bytes, bytes]]:
    """Return each path of `tree` with its filter, by the tree's own .gitattributes only.

    A person's own attributes (info/attributes, core.attributesFile) must not count, so git is asked
    in an empty repository that borrows this one's objects.
    """
    import tempfile  # slow to load, and few repositories have filters

    with tempfile.TemporaryDirectory(prefix="lockship-") as name:
        folder = Path(name)
        for each in ("refs", "objects/info"):
            (folder / each).mkdir(parents=True)
        (folder / "HEAD").write_text("ref: refs/heads/none\n")
        stores = [env.get("GIT_OBJECT_DIRECTORY", ""), str(repository.common_dir / "objects")]
        lines = "".join(f"{store}\n" for store in stores if store)
        (folder / "objects/info/alternates").write_text(lines)
        apart = {
            "GIT_DIR": name,
            "GIT_INDEX_FILE": f"{name}/index",
            "GIT_ATTR_NOSYSTEM": "1",
        }
        repository.run("read-tree", tree, env=apart)
        paths = repository.run("ls-files", "-z", env=apart)
        answer = repository.run(
            *("-c", "core.attributesFile=/dev/null"),
            *("check-attr", "--cached", "-z", "--stdin", "filter"),
            stdin=paths,
            env=apart,
        ).split(b"\0")
        return list(zip(answer[::3], answer[2::3], strict=False))
