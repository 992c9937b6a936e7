"""Real git repositories for tests: made in a temporary folder, with a fixed identity and clock."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CONFIG = """\
[service]
name = "shop"

[roles.web]
hosts = ["local"]
"""
_IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada Shipper",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_AUTHOR_DATE": "1700000000 +0100",
    "GIT_COMMITTER_NAME": "Ada Shipper",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_COMMITTER_DATE": "1700000000 +0100",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "file",
}


@dataclass(frozen=True)
class Repo:
    """A repository's working tree, and the git commands of the person who works in it."""

    path: Path

    def git(self, *words: str | bytes, ok: bool = True, **env: str) -> str:
        """Run git here; stdout without the last line break. `ok=False`: it may fail."""
        done = subprocess.run(
            ["git", *words],
            cwd=self.path,
            env={**os.environ, **_IDENTITY, **env},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0 or not ok, f"git {words}: {done.stderr.decode()}"
        return done.stdout.decode(errors="surrogateescape").removesuffix("\n")

    def write(self, name: str | bytes, text: str | bytes, *, executable: bool = False) -> Path:
        """Write a file, with its folders."""
        path = self.path / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(0o755 if executable else 0o644)
        return path

    def commit(self, message: str = "work", *words: str) -> str:
        """Add everything and commit; return the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message, *words)
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def state(self) -> Mapping[str, object]:
        """Everything of a person's that looking must not change: to be compared before and after.

        The index and every file with their times, HEAD, every ref but lockship's, the stash.
        """
        git_dir = Path(self.git("rev-parse", "--absolute-git-dir"))
        index = git_dir / "index"
        refs = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return {
            "index": (index.read_bytes(), index.stat().st_mtime_ns) if index.exists() else None,
            "HEAD": (git_dir / "HEAD").read_text(),
            "refs": [ref for ref in refs if not ref.startswith("refs/lockship/snapshots/")],
            "stash": self.git("stash", "list"),
            "files": _files(self.path),
        }


def _files(root: Path) -> dict[str, tuple[int, int, str]]:
    found = {}
    for folder, folders, names in os.walk(os.fsencode(root)):
        folders[:] = [name for name in folders if name != b".git"]
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - names may be any bytes
            if name.startswith(b".shiplock"):
                continue
            seen = os.lstat(path)
            link = os.path.islink(path)  # noqa: PTH114
            if link:
                data = os.fsencode(os.readlink(path))  # noqa: PTH115
            else:
                data = Path(os.fsdecode(path)).read_bytes() if os.path.isfile(path) else b""  # noqa: PTH113
            found[repr(path)] = (seen.st_mode, seen.st_mtime_ns, hashlib.sha256(data).hexdigest())
    return found


def create(path: Path, *, config: str = CONFIG, branch: str = "main") -> Repo:
    """Make a repository with a Dockerfile and a lockship.toml in its first commit."""
    path.mkdir(parents=True)
    repo = Repo(path)
    repo.git("init", "--quiet", f"--initial-branch={branch}")
    repo.git("config", "commit.gpgSign", "false")
    repo.git("config", "protocol.file.allow", "always")
    repo.write("Dockerfile", "FROM scratch\nCOPY app.txt /\n")
    repo.write("app.txt", "one\n")
    repo.write("lockship.toml", config)
    repo.commit("first")
    return repo


def clone(source: Repo, path: Path, *words: str) -> Repo:
    """Clone a repository as over a network, so that `--depth` and `--filter` hold."""
    source.git("clone", "--quiet", *words, f"file://{source.path}", str(path))
    repo = Repo(path)
    repo.git("config", "commit.gpgSign", "false")
    return repo
