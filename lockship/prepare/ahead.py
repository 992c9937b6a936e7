"""What git takes long for, begun before anything else is loaded: the status, and HEAD's paths."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Self

from lockship.git import failure, run, start

# Spelt out, because a person's configuration may hide untracked files and submodules.
STATUS: Final = ("status", "--porcelain=v2", "-z", "--no-renames", "--ignore-submodules=none")


class Listing:
    """The paths of all files in a tree, each with a NUL at its end, being listed by git.

    A context manager: the process ends with the block, at the latest.
    """

    def __init__(self, folder: Path, tree: str, env: Mapping[str, str]) -> None:
        self.tree = tree
        words = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", tree)
        self._process = start(folder, *words, env=env)
        self._read: tuple[bytes, bytes] = (b"", b"")
        # A pipe holds less than git has to say: without a reader it would stand still.
        self._reader = threading.Thread(target=self._take, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._reader.join()

    def _take(self) -> None:
        self._read = self._process.communicate()

    def names(self) -> bytes:
        """Wait for all of them. Raises LockshipError where git can't list the tree."""
        self._reader.join()
        names, said = self._read
        if self._process.returncode:
            raise failure(("ls-tree",), self._process.returncode, said)
        return names


@contextmanager
def begun(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Listing | None]]:
    """Run `git status`, and list HEAD's tree, beside the block; neither outlives it.

    There is no listing where HEAD has no tree yet, or there is no repository: look finds out which.
    """
    with ExitStack() as ending:
        status = start(folder, *STATUS, "--untracked-files=normal")
        ending.callback(_end, status)
        asked = ("rev-parse", "--verify", "--quiet", "HEAD^{tree}")
        tree = run(folder, *asked, ok=(0, 1, 128)).decode().strip()
        yield status, ending.enter_context(Listing(folder, tree, {})) if tree else None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate()
