"""What people push, each with what the hook says to it: told in docs/hooks.md, and tested.

A scene changes a repository whose lock is committed and pushed; then all of it is pushed.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from lockship.lock.fingerprint import sealed
from lockship.lock.image import Artifact
from lockship.lock.model import Lock
from lockship.lock.reader import read
from lockship.lock.writer import dump
from lockship.prepare.prepare import prepare
from tests.unit.gitrepo import CONFIG, Repo, create

LOCK = ".shiplock"
IMAGE = "sha256:" + "a" * 64


@dataclass(frozen=True)
class Pushed:
    """How a push ended: git's exit status, and what was said, lockship's and git's own lines.

    `shown` is what came on stdout: git's table of refs, and what a framework of hooks says.
    """

    status: int
    said: str
    shown: str

    @property
    def ours(self) -> str:
        """What the hook said, without git's own lines."""
        theirs = ("To ", " * [", "   ", " + ", " ! ", "error: failed to push")
        lines = self.said.splitlines()
        kept = [each for each in lines if each.startswith("       ") or not each.startswith(theirs)]
        return "\n".join(kept) + "\n"

    @property
    def mend(self) -> str:
        """The command in the last line."""
        return self.ours.rstrip().splitlines()[-1].split("`")[1]


@dataclass(frozen=True)
class Scene:
    """One thing that people do. `refused` is the field that is named; None: it's accepted.

    `mended`: the command that is shown, run as it is, makes the push go through.
    """

    name: str
    act: Callable[[Repo], None]
    refused: str | None
    mended: bool = False
    config: str = ""
    refs: tuple[str, ...] = ("main",)


def begin(folder: Path, config: str = "") -> Repo:
    """Return a repository with a lock that is on its remote, and the hook in its place."""
    shutil.copytree(Path(_template(config).name), folder, dirs_exist_ok=True, symlinks=True)
    return Repo(folder / "shop")


@functools.cache
def _template(config: str) -> tempfile.TemporaryDirectory[str]:
    """Make it once for each configuration; it goes with this process."""
    made = tempfile.TemporaryDirectory(prefix="lockship-scenes-")
    folder = Path(made.name)
    repo = create(folder / "shop", config=CONFIG + config)
    prepare(repo.path)
    repo.commit("Lock 1")
    repo.git("init", "--quiet", "--bare", str(folder / "remote.git"))
    repo.git("remote", "add", "origin", "../remote.git")
    lockship(repo, "hook", "install")
    done = push(repo)
    assert done.status == 0, done.said
    return made


def lockship(repo: Repo, *words: str, ok: tuple[int, ...] = (0,)) -> str:
    """Run this checkout's lockship; its stdout."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "lockship", *words], cwd=repo.path, capture_output=True
    )
    assert done.returncode in ok, done.stderr.decode()
    return done.stdout.decode()


def push(repo: Repo, *words: str) -> Pushed:
    """Push `words` to origin (without: main), as a person does."""
    argv = ["git", "push", "--porcelain", "--quiet", "origin", *(words or ("main",))]
    done = subprocess.run(argv, cwd=repo.path, env=environment(), capture_output=True, timeout=60)
    return Pushed(done.returncode, done.stderr.decode(), done.stdout.decode())


def shell(repo: Repo, command: str) -> None:
    """Run a command that a message shows, as a person does who copies it."""
    argv = ["sh", "-ec", command]
    done = subprocess.run(argv, cwd=repo.path, env=environment(), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()


def environment() -> Mapping[str, str]:
    """The environment of a person who has this lockship on PATH, and a fixed clock."""
    fixed = {f"GIT_{who}_DATE": "1700000000 +0100" for who in ("AUTHOR", "COMMITTER")}
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **fixed}


def the_lock(repo: Repo) -> Lock:
    return read(repo.path / LOCK)


def change(repo: Repo, text: str = "two\n") -> None:
    """Commit other content."""
    repo.write("app.txt", text)
    repo.commit("Change the app")


def locked(repo: Repo, lock: Lock | None = None, message: str = "Lock 2") -> None:
    """Commit a lock: what `prepare` makes, or what somebody made up."""
    if lock is None:
        prepare(repo.path)
    else:
        repo.write(LOCK, dump(lock))
    repo.commit(message)


def lying(table: str, **values: Any) -> Callable[[Repo], None]:
    """Lock with other values, and seal it: the liar knows the format."""

    def act(repo: Repo) -> None:
        change(repo)
        lock = prepare(repo.path).lock
        locked(repo, sealed(replace(lock, **{table: replace(getattr(lock, table), **values)})))

    return act


def replaced(old: str, new: str) -> Callable[[Repo], None]:
    """Edit the lock by hand."""

    def act(repo: Repo) -> None:
        text = (repo.path / LOCK).read_text()
        assert text.count(old) == 1
        repo.write(LOCK, text.replace(old, new))
        repo.commit("Give it more memory")

    return act


def conflict(repo: Repo) -> None:
    repo.write(LOCK, b"<<<<<<< HEAD\n" + (repo.path / LOCK).read_bytes())
    repo.commit("Merge")


def from_elsewhere(repo: Repo) -> None:
    other = create(repo.path.parent / "other", config=CONFIG + "# other\n")
    other.write("app.txt", "other\n")
    other.commit("Other history")
    locked(repo, prepare(other.path).lock)


def of_another_branch(repo: Repo) -> None:
    repo.git("switch", "--quiet", "--create", "topic")
    change(repo)
    lock = prepare(repo.path).lock
    repo.git("switch", "--quiet", "--force", "main")
    locked(repo, lock)


def another_tree(repo: Repo) -> None:
    change(repo)
    lock = prepare(repo.path).lock
    first = the_lock_of(repo, "HEAD~1").source.tree
    locked(repo, sealed(replace(lock, source=replace(lock.source, tree=first))))


def the_lock_of(repo: Repo, commit: str) -> Lock:
    from lockship.lock.reader import parse

    return parse(repo.git("show", f"{commit}:{LOCK}").encode() + b"\n", LOCK)


def forced(repo: Repo) -> None:
    repo.write("app.txt", "urgent\n")
    prepare(repo.path, force=True)
    repo.git("add", LOCK)
    repo.git("commit", "--quiet", "--message", "Lock what is running")


def without_its_hook(repo: Repo) -> None:
    repo.write(".lockship/hooks/pre-switch", "#!/bin/sh\nexec ./check\n", executable=True)
    repo.commit("Check before the switch")
    locked(repo, sealed(replace(prepare(repo.path).lock, hooks=None)))


def symlink(repo: Repo) -> None:
    (repo.path / LOCK).unlink()
    (repo.path / LOCK).symlink_to("/etc/passwd")
    repo.commit("Point the lock elsewhere")


def renamed(repo: Repo) -> None:
    shutil.copy(repo.path / LOCK, repo.path / f"{LOCK}.live")
    repo.commit("Go live")


def built_elsewhere(repo: Repo) -> None:
    lock = prepare(repo.path).lock
    locked(repo, replace(lock, artifact=Artifact(key=IMAGE, image_id=IMAGE)))


def unlocked_change(repo: Repo) -> None:
    change(repo)


def change_and_lock(repo: Repo) -> None:
    change(repo)
    locked(repo)


def wanting(line: str) -> Callable[[Repo], None]:
    """Lock with a policy that wants more than there is."""

    def act(repo: Repo) -> None:
        repo.write("lockship.toml", f"{CONFIG}{POLICY}{line}\n")
        repo.write(".lockship/allowed-signers", "ada@example.com ssh-ed25519 AAAA\n")
        repo.commit("Want more")
        locked(repo)

    return act


def weaker(repo: Repo) -> None:
    text = (repo.path / "lockship.toml").read_text()
    repo.write("lockship.toml", text.replace("require-artifact = true\n", ""))
    repo.commit("Want no artifact")
    locked(repo)


def rollback(repo: Repo) -> None:
    change_and_lock(repo)
    repo.git("checkout", "--quiet", "HEAD~2", "--", LOCK)
    repo.commit("Back to lock 1")


POLICY = "\n[policy]\n"
SCENES = [
    Scene(
        "edited",
        replaced('hosts = ["local"]', 'hosts = ["local"]\nmemory = "2g"'),
        "roles.web.memory",
        mended=True,
    ),
    Scene("damaged", conflict, "", mended=True),
    Scene("newer", replaced("lock-version = 1", "lock-version = 2"), "lock-version"),
    Scene("not a file", symlink, "", mended=True),
    Scene("another destination's", renamed, "service.destination"),
    Scene("elsewhere", from_elsewhere, "source.commit", mended=True),
    Scene("detached", of_another_branch, "source.commit", mended=True),
    Scene("tree", another_tree, "source.tree", mended=True),
    Scene("described", lying("source", subject="A small fix"), "source.subject", mended=True),
    Scene("version", lying("service", version="2.0"), "service.version", mended=True),
    Scene("hooks", without_its_hook, "hooks.pre-switch", mended=True),
    Scene("built elsewhere", built_elsewhere, "artifact.key"),
    Scene("unpushed", forced, "source.snapshot", mended=True),
    Scene("dirty", forced, "source.dirty", config=f"{POLICY}allow-dirty = false\n"),
    Scene("stale", unlocked_change, "source.tree", True, f'{POLICY}require-fresh = ["main"]\n'),
    Scene("unbuilt", wanting("require-artifact = true"), "artifact"),
    Scene("unsigned", wanting("require-signed = true"), "policy.require-signed"),
    Scene("weakened", weaker, None, config=f"{POLICY}require-artifact = true\n"),
    Scene("rollback", rollback, None),
]
