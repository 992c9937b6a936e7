"""A private git folder that borrows the objects of the user's repository and writes only its own.

It has an index (git's stat cache) for the build folder's files, no configuration but its own, and
attributes that switch off every conversion: what it checks out are the blobs' raw bytes. Git itself
writes the files, with its protections against `.git` entries and symlinks on the way.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lockship.build.gitrun import Git, private_env
from lockship.errors import LockshipError

_CONFIG: Final = """\
[core]
\trepositoryformatversion = 0
\tbare = false
\tfileMode = true
\tsymlinks = true
\tautocrlf = false
\tsafecrlf = false
\tprotectHFS = true
\tprotectNTFS = true
\thooksPath = /dev/null
\tattributesFile = /dev/null
\texcludesFile = /dev/null
\tlogAllRefUpdates = false
\tcompression = 0
[gc]
\tauto = 0
[index]
\tthreads = true
[advice]
\tsparseIndexExpanded = false
"""
# The last word on every path (gitattributes(5): info/attributes has the highest precedence).
# `filter` stays as the tree says it: without a driver in the configuration it does nothing.
_ATTRIBUTES: Final = "* -text -eol -crlf -ident -working-tree-encoding\n"
_ALTERNATES: Final = "objects/info/alternates"
_LOOSE_FOLDERS: Final = 256
_LOOSE_LIMIT: Final = 6700  # gc.auto's
_PACK_LIMIT: Final = 4


@dataclass(frozen=True)
class Store:
    """The private git folder and the folder of files that it keeps."""

    git_dir: Path
    files: Path
    git: Git

    def borrow(self, objects: Path) -> None:
        """Read objects from this object folder too, and from whatever it borrows from."""
        line = _quoted(os.fsencode(objects)) + b"\n"
        alternates = self.git_dir / _ALTERNATES
        before = alternates.read_bytes() if alternates.exists() else b""
        if line not in before.splitlines(keepends=True):
            alternates.write_bytes(before + line)

    def sizes(self, ids: Iterable[str]) -> Iterator[tuple[str, int | None]]:
        """Yield each object's id and size in bytes; None for an object that isn't here."""
        asked = "".join(f"{each}\n" for each in ids).encode()
        output = (
            b""
            if not asked
            else self.git.run("cat-file", "--batch-check=%(objectsize)", "--buffer", stdin=asked)
        )
        for each, answer in zip(asked.split(), output.splitlines(), strict=True):
            yield each.decode(), int(answer) if answer.isdigit() else None

    def tree_of(self, commit: str) -> str:
        """Return the id of a commit's tree."""
        return self.git.run("rev-parse", "--verify", f"{commit}^{{tree}}").decode().strip()

    def has(self, object_id: str) -> bool:
        """Whether the object is here."""
        return all(size is not None for _, size in self.sizes([object_id]))

    def blobs(self, ids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield id and content of small blobs that are here."""
        asked = "".join(f"{each}\n" for each in ids).encode()
        output = self.git.run("cat-file", "--batch", "--buffer", stdin=asked) if asked else b""
        position = 0
        while position < len(output):
            head_end = output.index(b"\n", position)
            object_id, _, size = output[position:head_end].split(b" ")
            end = head_end + 1 + int(size)
            yield object_id.decode(), output[head_end + 1 : end]
            position = end + 1

    def check_out(self, tree: str) -> None:
        """Make the files those of `tree`: write what changed, remove what isn't in it."""
        # Whoever held git's own lock is dead: the build folder's lock is ours.
        (self.git_dir / "index.lock").unlink(missing_ok=True)
        self.git.run("read-tree", "--reset", "-u", tree)
        self.git.run("clean", "-ffdxq")

    def prune(self, *, always: bool) -> None:
        """Remove own objects that the index doesn't name, when asked or when there are many."""
        sample = self.git_dir / "objects/17"
        many = sample.is_dir() and len(list(sample.iterdir())) * _LOOSE_FOLDERS > _LOOSE_LIMIT
        if not (always or many):
            return
        # What is larger than core.bigFileThreshold has a pack of its own, out of prune's reach.
        if len(list((self.git_dir / "objects/pack").glob("*.pack"))) > _PACK_LIMIT:
            self.git.run("repack", "-a", "-d", "-l", "-q")
        self.git.run("prune", "--expire=now")


def open_store(base: Path, keep_open: int) -> Store:
    """Return the store in `base`, made or mended where needed."""
    git_dir, files = base / "git", base / "tree"
    files.mkdir(exist_ok=True)
    for folder in ("objects/info", "refs", "info"):
        (git_dir / folder).mkdir(parents=True, exist_ok=True)
    (git_dir / "HEAD").write_text("ref: refs/heads/none\n")
    (git_dir / "config").write_text(_CONFIG)
    (git_dir / "info/attributes").write_text(_ATTRIBUTES)
    (git_dir / _ALTERNATES).unlink(missing_ok=True)
    env = private_env(os.environ) | {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(files)}
    return Store(git_dir, files, Git(files, env, (keep_open,), disposable=True))


def wipe(base: Path) -> None:
    """Remove the store and its files; the next `open_store` begins anew."""
    for name in ("git", "tree"):
        shutil.rmtree(base / name, ignore_errors=True)


def _quoted(path: bytes) -> bytes:
    """Quote a line of `objects/info/alternates` as git's parse_alt_odb_entry reads it."""
    if path[:1] not in (b'"', b"#") and b"\n" not in path:
        return path
    if b"\n" in path:
        raise LockshipError(f"The path {os.fsdecode(path)!r} holds a line break.")
    return b'"' + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
