"""The pre-push verdict: of one commit, and of 10,000 of which 100 change the lock."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from benchmarks.measure import Comparison, take_turns
from benchmarks.project import LOCKSHIP, Project, add_service, on_this_machine
from lockship.git import Repository
from lockship.gitobjects import commit
from lockship.history.content import Contents
from lockship.lock.fingerprint import sealed
from lockship.lock.model import Lock
from lockship.lock.reader import read
from lockship.lock.version import derived_version
from lockship.lock.writer import dump

LOCKS: Final = 100
_BETWEEN: Final = 99  # commits before each lock's own
_FOLDERS: Final = 20


def hook(runs: int, folder: Path) -> list[Comparison]:
    """`lockship hook`: one commit against an import; 10,000 commits against `git rev-list`."""
    project = on_this_machine(folder)
    add_service(project)
    project.commit()
    project.lockship("prepare")
    project.commit()
    tip, base = project.git("rev-parse", "HEAD"), project.git("rev-parse", "HEAD~1")
    line = shlex.quote(f"refs/heads/main {tip} refs/heads/main {base}")
    pushed = f"echo {line} | {LOCKSHIP} hook pre-push origin /nowhere"
    # pygit2 is what else one would ask git's objects with; where it isn't, Python alone is less.
    module = "pygit2" if importlib.util.find_spec("pygit2") else None
    words = f"import {module}" if module else "pass"
    mine, others = take_turns(
        runs,
        lambda: project.run(["sh", "-c", pushed]),
        lambda: project.run([sys.executable, "-c", words]),
    )
    aim = 1.8 if module else None
    named = ("`lockship hook pre-push`, 1 commit", f"`python -c '{words}'`")
    found = [Comparison("s", *named, mine["s"], others["s"], aim=aim)]

    _long_history(project)
    span = f"{tip}..many"
    mine, others = take_turns(
        runs,
        partial(project.lockship, "hook", "verify", span),
        lambda: project.run(["git", "rev-list", "--objects", span]),
    )
    named = ("`lockship hook verify`, 10,000 commits", "`git rev-list --objects`")
    return [*found, Comparison("s", *named, mine["s"], others["s"], aim=1.0)]


def _long_history(project: Project) -> None:
    """Add 100 times 99 commits and one with their lock, to a branch `many`."""
    sample = read(project.folder / ".shiplock")
    project.git("branch", "many")
    stream = project.folder.with_name("history")
    for number in range(LOCKS):
        stream.write_bytes(b"".join(_changes(number)))
        _import(project, stream)
        data = dump(_locked(project, sample))
        stream.write_bytes(_commit("Lock") + _file(".shiplock", data))
        _import(project, stream)
    project.git("gc", "--quiet")


def _import(project: Project, stream: Path) -> None:
    with stream.open("ab") as file:
        file.write(b"done\n")
    project.git("fast-import", "--quiet", "--done", "--force", stdin=stream)


def _changes(number: int) -> Iterator[bytes]:
    for change in range(_BETWEEN):
        at = number * _BETWEEN + change
        path = f"src/part-{at % _FOLDERS}/group-{at % 7}/file-{at % 1000}.txt"
        yield _commit(f"Change {at}", first=not change) + _file(path, f"{at}\n".encode() * 20)


def _commit(subject: str, *, first: bool = True) -> bytes:
    """A commit in the language of git-fast-import(1); the first of a stream names its parent."""
    who = b"committer Ada <ada@example.com> 1700000000 +0000\n"
    head = b"commit refs/heads/many\n" + who + b"data %d\n%s\n" % (len(subject), subject.encode())
    return head + (b"from refs/heads/many^0\n" if first else b"")


def _file(path: str, data: bytes) -> bytes:
    return b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data)


def _locked(project: Project, sample: Lock) -> Lock:
    """Return the lock of the branch, as `prepare` would write it."""
    with Repository.discover(project.folder).objects() as objects:
        found = objects.find("refs/heads/many")
        if found is None:
            raise SystemExit("there is no branch")
        source = commit(found[0], found[2])
        version = derived_version(source.id)
        described = {"subject": source.subject, "author": source.author}
        return sealed(
            replace(
                sample,
                service=replace(sample.service, version=version),
                image=replace(sample.image, tag=version),
                source=replace(
                    sample.source,
                    commit=source.id,
                    tree=Contents(objects).of(source.tree),
                    committed_at=source.committed_at,
                    **described,
                ),
            )
        )
