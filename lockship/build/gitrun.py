"""git as this room needs it: file descriptors kept open, modes of files that depend on nobody."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lockship.errors import LockshipError
from lockship.git import failure


class StoreError(LockshipError):
    """git failed in a repository of lockship's own."""


@dataclass(frozen=True)
class Git:
    """git in one repository: the folder that it runs in, its environment.

    `keep_open` are file descriptors that git inherits, so that a lock on one of them is held until
    git has ended, even when lockship was killed. `disposable` says that the repository is
    lockship's own and can be made anew: a failure in it is a StoreError.
    """

    folder: Path
    env: Mapping[str, str]
    keep_open: tuple[int, ...] = ()
    disposable: bool = False

    def ask(
        self,
        *words: str | bytes,
        stdin: bytes | IO[bytes] = b"",
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `git WORDS` to its end, whatever its exit status."""
        text = stdin if isinstance(stdin, bytes) else None
        file = subprocess.PIPE if isinstance(stdin, bytes) else stdin
        try:
            process = subprocess.Popen(
                ["git", "-c", "core.hooksPath=/dev/null", *words],
                cwd=self.folder,
                env={**self.env, **(env or {})},
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=self.keep_open,
                umask=0o022,  # the modes of files in an image must not depend on who builds it
            )
        except FileNotFoundError as error:
            raise LockshipError("git can't be run here.", hint="Install git.") from error
        with process:
            try:
                output, said = process.communicate(text)
            except BaseException:
                process.terminate()  # git leaves nothing half-written that the next run can't mend
                raise
        return subprocess.CompletedProcess([], process.returncode, output, said)

    def run(
        self,
        *words: str | bytes,
        stdin: bytes | IO[bytes] = b"",
        env: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run `git WORDS`; return its stdout. Raises LockshipError with what git said."""
        done = self.ask(*words, stdin=stdin, env=env)
        if done.returncode:
            error = failure(words, done.returncode, done.stderr)
            if self.disposable:
                raise StoreError(error.message, details=error.details)
            raise error
        return done.stdout


def private_env(outer: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for git in a folder of lockship's own, with no configuration else."""
    kept = {name: value for name, value in outer.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
