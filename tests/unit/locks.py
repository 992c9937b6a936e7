"""Locks made by hand, for tests of what comes after `prepare`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from lockship.lock.fingerprint import sealed
from lockship.lock.image import Image, LockedBuild
from lockship.lock.model import Host, Lock, Service, Source
from lockship.lock.role import Role
from lockship.lock.writer import dump

# What these names stood for on a day of 2026; the database's digest is invented.
PINS = {
    "busybox:1.36": "sha256:73aaf090f3d85aa34ee199857f03fa3a95c8ede2ffd4cc2cdb5b94e566b11662",
    "postgres:16": "sha256:" + "16" * 32,
    "python:3.13-slim": "sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b",
}
COMMITTED_AT = "2026-01-02T03:04:05Z"


def git(repository: Path, *words: str, stdin: bytes | None = None) -> str:
    """Run git in a test's repository; give back its stdout without the last line break."""
    done = subprocess.run(
        ["git", *words], cwd=repository, input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, f"git {words}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode(errors="surrogateescape").removesuffix("\n")


def make_lock(repository: Path | None = None, **changes: Any) -> Lock:
    """Return a sealed lock of a repository's HEAD (without one: of invented ids).

    `changes` replace whole tables, by their names in the model; a dict replaces single keys of its
    table: `make_lock(repository, build={"target": "web"}, roles={...})`.
    """
    commit = git(repository, "rev-parse", "HEAD") if repository else "1" * 40
    tree = content_tree(repository, commit) if repository else "2" * 40
    lock = Lock(
        lock_version=1,
        fingerprint="sha256:" + "0" * 64,
        service=Service(name="shop", version=commit[:12]),
        source=Source(
            commit=commit,
            tree=tree,
            subject="the subject",
            author="Ada Shipper <ada@example.com>",
            committed_at=COMMITTED_AT,
            dirty=False,
        ),
        build=LockedBuild(),
        image=Image(repository="shop", tag=commit[:12]),
        roles={"web": Role(hosts=("local",))},
        hosts={"local": Host()},
    )
    for name, change in changes.items():
        table = getattr(lock, name)
        merged = isinstance(change, dict) and not isinstance(table, dict)
        lock = replace(lock, **{name: replace(table, **change) if merged else change})
    return sealed(lock)


def leave_pins(repository: Path) -> None:
    """Leave a lock from before, whose pins serve the next `prepare`: no engine has to be there.

    All else that it says is of another content.
    """
    (repository / ".shiplock").write_bytes(dump(make_lock(build={"base": PINS})))


def content_tree(repository: Path, commit: str) -> str:
    """Return the content tree of a commit whose only lockfile, if any, is in the root."""
    lines = git(repository, "ls-tree", "-z", commit).split("\0")
    kept = [line for line in lines if line and not line.partition("\t")[2].startswith(".shiplock")]
    names = "".join(f"{line}\0" for line in kept).encode(errors="surrogateescape")
    return git(repository, "mktree", "-z", "--missing", stdin=names)


def commit_all(repository: Path, message: str = "a change") -> str:
    """Commit everything that is in the working tree; return the commit's id."""
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(repository, "rev-parse", "HEAD")
