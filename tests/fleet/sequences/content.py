"""What a lock must say of its source, worked out by git's plumbing and the rules in the docs."""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Listing = dict[str, tuple[str, str]]
"""Path to mode and object id."""

_LOCKFILE = re.compile(r"(?:.*/)?\.shiplock(?:\.[a-z0-9][a-z0-9_-]{0,39})?")


@dataclass(frozen=True)
class Git:
    """git in one repository; it writes neither the index nor an object there unless told to."""

    root: Path
    env: Mapping[str, str]

    def run(self, *argv: str, stdin: str | None = None, **env: str) -> str:
        done = self.attempt(*argv, stdin=stdin, **env)
        assert done.returncode == 0, f"git {' '.join(argv)}: {done.stderr}"
        return done.stdout

    def attempt(
        self, *argv: str, stdin: str | None = None, **env: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["git", *argv],
            cwd=self.root,
            env={**self.env, "GIT_OPTIONAL_LOCKS": "0", **env},
            input=stdin,
            capture_output=True,
            text=True,
        )


@dataclass(frozen=True)
class Source:
    """What `prepare --force` must lock; where not `dirty`, what `prepare` must."""

    commit: str
    tree: str
    forced: bool

    @property
    def version(self) -> str:
        dirty = f"-dirty-{self.tree[:12]}" if self.forced else ""
        return self.commit[:12] + dirty


def is_lockfile(path: str) -> bool:
    return _LOCKFILE.fullmatch(path) is not None


def is_dirty(git: Git) -> bool:
    """Whether `git status` shows anything, lockfiles aside."""
    shown = git.run("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames")
    return any(line and not is_lockfile(line[3:]) for line in shown.split("\0"))


def source(git: Git) -> Source:
    """The source of what is in the working tree now."""
    with tempfile.TemporaryDirectory() as scratch:
        # Objects of the oracle's own would hide it when lockship forgot to write them.
        objects = git.run("rev-parse", "--path-format=absolute", "--git-path", "objects").strip()
        apart = {"GIT_OBJECT_DIRECTORY": scratch, "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects}
        head = _tree(git, listing(git, "HEAD"), apart, scratch)
        everything = {**apart, "GIT_INDEX_FILE": f"{scratch}/everything"}
        git.run("add", "--all", **everything)
        staged = git.run("ls-files", "--stage", "-z", **everything)
        now = _tree(git, _parse(staged.replace(" 0\t", "\t"), oid=1), apart, scratch)
    commit = git.run("rev-parse", "HEAD").strip()
    while parent := git.attempt("rev-parse", "--verify", "--quiet", f"{commit}^").stdout.strip():
        if listing(git, parent) != listing(git, commit):
            break
        commit = parent
    return Source(commit, now, forced=now != head)


def listing(git: Git, tree: str) -> Listing:
    """The files of a tree, lockfiles aside."""
    return _parse(git.run("ls-tree", "-r", "-z", "--full-tree", tree), oid=2)


def site(git: Git, commit: str) -> dict[str, bytes]:
    """The files below `site/` in a commit, lockfiles aside, by what follows `site/`."""
    found = {}
    for path, (_, oid) in listing(git, commit).items():
        if path.startswith("site/"):
            blob = subprocess.run(
                ["git", "cat-file", "blob", oid],
                cwd=git.root,
                env=dict(git.env),
                capture_output=True,
                check=True,
            )
            found[path.removeprefix("site/")] = blob.stdout
    return found


def _parse(text: str, *, oid: int) -> Listing:
    found: Listing = {}
    for line in text.split("\0"):
        if line:
            fields, _, path = line.partition("\t")
            words = fields.split(" ")
            if not is_lockfile(path):
                found[path] = (words[0], words[oid])
    return found


def _tree(git: Git, files: Listing, env: Mapping[str, str], scratch: str) -> str:
    """The id of the tree with exactly these files."""
    index = os.path.join(scratch, "listing")  # noqa: PTH118 - a name for git
    Path(index).unlink(missing_ok=True)
    lines = "".join(f"{mode} {oid}\t{path}\0" for path, (mode, oid) in files.items())
    here = {**env, "GIT_INDEX_FILE": index}
    git.run("update-index", "-z", "--index-info", stdin=lines, **here)
    return git.run("write-tree", **here).strip()
