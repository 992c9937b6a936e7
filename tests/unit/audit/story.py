"""Histories with locks in them, made by real git, one minute after the other."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from lockship.cli.main import run
from lockship.git import Repository
from lockship.lock.model import Lock
from lockship.lock.writer import dump
from tests.unit.gitrepo import Repo, create
from tests.unit.locks import make_lock

START = 1_772_500_000  # 2026-03-03T01:06:40Z


@dataclass
class Story:
    """A repository whose clock goes on by a minute with each commit."""

    repo: Repo
    minute: int = 0
    said: dict[str, str] = field(default_factory=dict)  # subject to commit

    def time(self) -> dict[str, str]:
        date = f"{START + 60 * self.minute} +0000"
        return {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}

    def git(self, *words: str, ok: bool = True, **env: str) -> str:
        return self.repo.git(*words, ok=ok, **{**self.time(), **env})

    def commit(self, subject: str, *words: str, **env: str) -> str:
        self.minute += 1
        self.git("add", "--all")
        self.git(
            *("commit", "--quiet", "--allow-empty", "--message", subject, *words), ok=True, **env
        )
        self.said[subject] = self.repo.head
        return self.repo.head

    def work(self, text: str) -> str:
        self.repo.write("app.txt", f"{text}\n")
        return self.commit(text)

    def lock(self, **changes: Any) -> Lock:
        """Return a lock of HEAD as `prepare` would write it."""
        commit = self.git("log", "-1", "--format=%H", "--", ".", ":(exclude,glob)**/.shiplock*")
        author, at, subject = self.git(
            "log", "-1", "--format=%an <%ae>%n%cI%n%s", commit
        ).splitlines()
        lines = self.git("ls-tree", "-z", commit).split("\0")
        kept = [each for each in lines if each and "\t.shiplock" not in each]
        done = subprocess.run(
            ["git", "mktree", "-z", "--missing"], cwd=self.repo.path,
            input="".join(f"{each}\0" for each in kept).encode(), capture_output=True, check=True,
        )  # fmt: skip
        source = {
            "commit": commit, "tree": done.stdout.decode().strip(), "author": author,
            "committed_at": at, "subject": subject,
        }  # fmt: skip
        version = {"version": commit[:12]}
        made = make_lock(service=version, source=source, image={"tag": commit[:12]})
        for name, change in changes.items():
            made = make_lock_with(made, name, change)
        return made

    def put(self, lock: Lock, subject: str, path: str = ".shiplock", **env: str) -> str:
        """Commit a lock."""
        self.repo.write(path, dump(lock))
        return self.commit(subject, **env)

    def locked(self, subject: str, path: str = ".shiplock", **changes: Any) -> Lock:
        """Commit a lock of HEAD; return it."""
        made = self.lock(**changes)
        self.put(made, subject, path)
        return made

    @property
    def repository(self) -> Repository:
        return Repository.discover(self.repo.path)

    def audit(self, *words: str, status: int = 0) -> Any:
        """Run `lockship audit WORDS --json`; return its data."""
        done = self.run(*words, "--json")
        assert done.returncode == status, done.stderr + done.stdout
        return json.loads(done.stdout)

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run `lockship audit WORDS` here."""
        return self.lockship("audit", *words, **env)

    def lockship(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command in this process: starting one would take most of the time."""
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
        with (
            contextlib.chdir(self.repo.path),
            contextlib.redirect_stdout(streams[0]),
            contextlib.redirect_stderr(streams[1]),
            mock.patch.dict(os.environ, env),
        ):
            status = run(words)
        said = []
        for stream in streams:
            stream.flush()
            stream.seek(0)
            said.append(stream.read())
        return subprocess.CompletedProcess(words, status, *said)


def make_lock_with(lock: Lock, name: str, change: Any) -> Lock:
    """Return the lock with a table, or keys of one, replaced, and sealed again."""
    from msgspec.structs import replace

    from lockship.lock.fingerprint import sealed

    table = getattr(lock, name)
    merged = isinstance(change, dict) and not isinstance(table, dict)
    return sealed(replace(lock, **{name: replace(table, **change) if merged else change}))


def begin(path: Path) -> Story:
    return Story(create(path))
