"""Git, asked itself: which repository this is, running a command in it, reading objects by id.

Nothing here looks at HEAD, the index or the working tree (law 1): who calls gives the ids.
Objects come through one `git cat-file --batch`: importing pygit2 alone takes longer than a whole
`git status` (docs/decisions/0003-git-itself.md has the figures). And git itself reads every format
that it wrote (reftable, sparse index) and fetches what a partial clone lacks.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from lockship.errors import LockshipError, RefusedError, UsageError

# What an outer git command (a hook, an alias) sets for its own repository and its own run. What
# stays is the person's: where their configuration is, how git reaches a remote.
_KEPT: Final = re.compile(
    r"GIT_(?:CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)|SSH.*|SSL_.*|HTTP_.*|PROXY_.*"
    r"|ASKPASS|EXEC_PATH|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM|TRACE.*|ALLOW_PROTOCOL)"
)
_ALWAYS: Final = {
    "LC_ALL": "C",  # messages are matched
    "GIT_OPTIONAL_LOCKS": "0",  # `git status` must not rewrite the index
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",  # a replace ref shows other content under an id
}
# Hooks belong to what a person does; looking and locking must not start them.
_COMMAND: Final = ("git", "-c", "core.hooksPath=/dev/null")
_SHOWN_LINES: Final = 20
_AT_ONCE: Final = 500  # ids that fit into a pipe, so that git can answer while we still ask
_CHUNK: Final = 1 << 16


def environment(outer: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which git is asked."""
    return of_no_repository(outer) | _ALWAYS


def of_no_repository(outer: Mapping[str, str]) -> dict[str, str]:
    """Return `outer` without what belongs to one repository or to an outer git command."""
    return {k: v for k, v in outer.items() if not k.startswith("GIT_") or _KEPT.fullmatch(k)}


def start(folder: Path, *words: str | bytes, **options: Any) -> subprocess.Popen[bytes]:
    """Start `git WORDS` in `folder` with stdout and stderr as pipes; the caller waits for it."""
    env = environment(os.environ) | options.pop("env", {})
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    try:
        return subprocess.Popen([*_COMMAND, *words], cwd=folder, env=env, **pipes)
    except FileNotFoundError as error:
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}.") from error
        raise UsageError("git can't be run here.", hint="Install git, 2.30 or newer.") from error


def run(
    folder: Path,
    *words: str | bytes,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    ok: tuple[int, ...] = (0,),
) -> bytes:
    """Run `git WORDS` to its end and return its stdout.

    Raises LockshipError with git's own words where its exit status isn't one of `ok`.
    """
    process = start(folder, *words, env=env or {}, stdin=subprocess.PIPE)
    out, said = process.communicate(stdin)
    if process.returncode not in ok:
        raise failure(words, process.returncode, said)
    return out


def failure(words: tuple[str | bytes, ...], status: int, said: bytes) -> LockshipError:
    """Return the error for a git command that failed: a refusal by name, else its words."""
    text = said.decode(errors="replace").strip()
    lines = text.splitlines()
    if "dubious ownership" in text:
        remedy = next((line.strip() for line in lines if "safe.directory" in line), "")
        return RefusedError(
            "git refuses this repository: another user owns it.",
            hint=f"If you trust it: `{remedy or 'git help config'}` (safe.directory).",
        )
    if "not a git repository" in text:
        return UsageError(
            "This is not a git repository.",
            hint="Go to one, or make one: `git init`, `git add`, `git commit`.",
        )
    if "must be run in a work tree" in text:
        return RefusedError(
            "This repository has no working tree (it is bare, or this is its .git folder).",
            hint="Run lockship in a clone or in a linked worktree of it.",
        )
    if "repository extension" in text or "repo version" in text or "ref storage" in text:
        return RefusedError(
            "git on this machine can't read this repository's format.",
            details=lines,
            hint="Install a newer git.",
        )
    word = next(os.fsdecode(each) for each in words if not os.fsdecode(each).startswith("-"))
    return LockshipError(
        f"`git {word}` failed with exit status {status}.", details=lines[-_SHOWN_LINES:]
    )


@dataclass(frozen=True)
class Repository:
    """A repository with a working tree.

    `root` is the working tree's folder, `git_dir` what belongs to this (maybe linked) worktree,
    `common_dir` what all of its worktrees share. `shallow`: its history is cut off somewhere.
    """

    root: Path
    git_dir: Path
    common_dir: Path
    shallow: bool = False

    @classmethod
    def discover(cls, folder: Path) -> Self:
        """Find the repository around `folder`.

        Raises UsageError where there is none; RefusedError where it is bare, not trusted by git,
        or of a format that can't be locked.
        """
        asked = ("--show-object-format", "--is-shallow-repository", "--absolute-git-dir")
        said = run(folder, "rev-parse", *asked, "--git-common-dir", "--show-toplevel")
        # Only paths can hold a newline; then there are more lines than questions.
        answers = said.removesuffix(b"\n").split(b"\n")
        if len(answers) != len(asked) + 2:
            raise RefusedError(
                "The path of this repository has a line break in it.", hint="Rename the folder."
            )
        kind, shallow, git_dir, common_dir, root = (os.fsdecode(answer) for answer in answers)
        if kind != "sha1":
            raise RefusedError(
                f"This repository's objects are named by {kind}; lockship knows sha1 only.",
                hint="Convert it, or deploy from a repository made with `--object-format=sha1`.",
            )
        common = (folder / common_dir).resolve()
        return cls(Path(root), Path(git_dir), common, shallow == "true")

    def run(self, *words: str | bytes, **options: Any) -> bytes:
        """Run git at the root; see `run`."""
        return run(self.root, *words, **options)

    def start(self, *words: str | bytes, **options: Any) -> subprocess.Popen[bytes]:
        """Start git at the root; see `start`."""
        return start(self.root, *words, **options)

    def objects(self, env: Mapping[str, str] | None = None) -> Objects:
        """Return a reader of objects, to be closed (a context manager)."""
        return Objects(self, env or {})


class MissingObjectError(LockshipError):
    """An object isn't in this repository, and git couldn't fetch it."""


class Objects:
    """Reads objects, one after the other, through one `git cat-file --batch`."""

    def __init__(self, repository: Repository, env: Mapping[str, str]) -> None:
        self._process = repository.start("cat-file", "--batch", env=env, stdin=subprocess.PIPE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def find(self, name: str, most: int | None = None) -> tuple[str, str, bytes] | None:
        """Return (id, kind, data) of the object called `name` (an id, or `HEAD`); None if none.

        At most `most` bytes of its data, where that is given: a hostile object may be huge.
        """
        self._ask((name,))
        return self._answer(most)

    def find_all(
        self, names: Sequence[str], most: int | None = None
    ) -> Iterator[tuple[str, str, bytes] | None]:
        """Yield what `find` returns for each name, in order, without a wait for each."""
        for start in range(0, len(names), _AT_ONCE):
            chunk = names[start : start + _AT_ONCE]
            self._ask(chunk)
            yield from [self._answer(most) for _ in chunk]

    def _ask(self, names: Sequence[str]) -> None:
        stdin = self._process.stdin
        if stdin is None or any("\n" in name for name in names):
            raise ValueError(names)
        try:
            stdin.write("".join(f"{name}\n" for name in names).encode())
            stdin.flush()
        except BrokenPipeError:
            pass  # what git said is on its stderr

    def _answer(self, most: int | None = None) -> tuple[str, str, bytes] | None:
        stdout = self._process.stdout
        if stdout is None:
            raise ValueError(stdout)
        header = stdout.readline().split()
        if len(header) == 3:
            size = int(header[2])
            data = stdout.read(size if most is None else min(size, most))
            left = size - len(data)
            while left > 0 and (skipped := stdout.read(min(left, _CHUNK))):
                left -= len(skipped)
            if stdout.read(1) == b"\n":
                return header[0].decode(), header[1].decode(), data
        if header[-1:] == [b"missing"]:
            return None
        status, said = self._process.wait(), self._process.communicate()[1]
        raise failure(("cat-file",), status, said)

    def read(self, oid: str) -> bytes:
        """Return the object's data. Raises MissingObjectError."""
        found = self.find(oid)
        if found is None:
            raise MissingObjectError(
                f"Object {oid} is not in this repository.",
                hint="Fetch it (`git fetch`), or look for damage with `git fsck`.",
            )
        return found[2]
