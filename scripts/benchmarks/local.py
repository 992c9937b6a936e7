"""What runs on this machine only: the start, `prepare`, a warm build."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.measure import Comparison, Sample, take_turns
from benchmarks.project import Docker, Project, add_service, on_fleet, on_this_machine
from tests.harness import Fleet

FILES = 50_000
_IN_A_FOLDER = 100
_CHANGED = 100


def start(runs: int, folder: Path) -> list[Comparison]:
    """`lockship --help` and `--version` against `python -c pass`."""
    project = on_this_machine(folder)

    def python() -> Sample:
        return project.run([sys.executable, "-c", "pass"])

    found = []
    for word in ("--help", "--version"):
        ours, theirs = take_turns(runs, partial(project.lockship, word), python)
        words = (f"`lockship {word}`", "`python -c pass`")
        found.append(Comparison("s", *words, ours["s"], theirs["s"], aim=6))
    return found


def prepare(runs: int, folder: Path) -> list[Comparison]:
    """`lockship prepare`, with nothing to write, against `git status`: 50,000 clean files."""
    project = on_this_machine(folder)
    _many_files(project)
    project.lockship("prepare")
    ours, theirs = take_turns(
        runs,
        lambda: project.lockship("prepare"),
        lambda: project.run(["git", "status", "--porcelain"]),
    )
    words = ("`lockship prepare`", "`git status --porcelain`")
    return [Comparison("s", *words, ours["s"], theirs["s"], aim=2.5)]


def force(runs: int, folder: Path) -> list[Comparison]:
    """`lockship prepare --force` against `git stash create`: 100 files of 50,000 changed."""
    project = on_this_machine(folder)
    _many_files(project)
    counter = itertools.count()

    def change() -> None:
        number = next(counter)
        for path in itertools.islice(_paths(), 0, FILES, FILES // _CHANGED):
            project.write(path, f"changed for turn {number}, {path}\n")

    def ours() -> Sample:
        change()
        return project.lockship("prepare", "--force")

    def theirs() -> Sample:
        change()
        return project.run(["git", "stash", "create"])

    mine, others = take_turns(runs, ours, theirs)
    words = ("`lockship prepare --force`", "`git stash create`")
    return [Comparison("s", *words, mine["s"], others["s"])]


def build(runs: int, folder: Path) -> list[Comparison]:
    """`lockship build` against a worktree and `docker build`, after a line changed in 50,000 files.

    The Dockerfile copies all of them, and both write that layer. Every turn has a change of its
    own, which neither has built before.
    """
    with Fleet.start(hosts=0, registry=False) as fleet:
        project = on_fleet(fleet, folder)
        _many_files(project, copies="COPY . /app")
        docker = Docker.of(project)
        worktree = project.folder.with_name("worktree") / "shop"
        counter = itertools.count(1)

        def change() -> None:
            project.write("src/part-1/group-1/file-1.txt", f"line {next(counter)}\n")
            project.commit()

        def ours() -> Sample:
            change()
            prepared = project.lockship("prepare")
            built = project.lockship("build")
            return {"s": prepared["s"] + built["s"]}

        def theirs() -> Sample:
            change()
            words = ["git", "worktree", "add", "--quiet", "--detach", str(worktree)]
            seconds = project.run(words)["s"] + docker.build("by-hand", worktree)["s"]
            project.git("worktree", "remove", "--force", str(worktree))
            return {"s": seconds}

        mine, others = take_turns(runs, ours, theirs)
    words = ("`lockship prepare`, `lockship build`", "`git worktree add`, `docker build`")
    return [Comparison("s", *words, mine["s"], others["s"])]


def _many_files(project: Project, copies: str = "COPY www /www") -> None:
    """Commit 50,000 small files in one pack, as a fresh clone has them, and the service."""
    add_service(project, copies=copies)
    history = project.folder.with_name("history")
    with history.open("wb") as file:
        file.writelines(_history())
    project.git("fast-import", "--quiet", stdin=history)
    project.git("symbolic-ref", "HEAD", "refs/heads/many")
    project.git("reset", "--hard", "--quiet")
    project.commit()


def _history() -> Iterator[bytes]:
    """A commit with all files, in the language of git-fast-import(1)."""
    yield b"commit refs/heads/many\ncommitter Ada <ada@example.com> 1700000000 +0000\n"
    yield b"data 4\nMany\n"
    for number, path in enumerate(_paths()):
        line = f"file {number} of many, with a line or two as sources have them\n"
        content = (line * (1 + number % 40)).encode()
        yield f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n"


def _paths() -> Iterator[str]:
    for number in range(FILES):
        group, file = divmod(number, _IN_A_FOLDER)
        part, inner = divmod(group, 10)
        yield f"src/part-{part}/group-{inner}/file-{file}.txt"
