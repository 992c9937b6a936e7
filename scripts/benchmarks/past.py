"""What looks at history: `audit log`, cold and from its memory, and `audit verify`."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from benchmarks.measure import Comparison, Sample, Series, take_turns
from benchmarks.project import Project, add_service, on_this_machine
from lockship.history.record import message
from lockship.lock.fingerprint import sealed
from lockship.lock.model import Lock
from lockship.lock.reader import parse
from lockship.lock.writer import dump

_COMMITS: Final = 100_000
_LOCKS: Final = 1_000
_FILES: Final = 4_000
_BEGIN: Final = 1_800_000_000  # after the commits that are made now: git's walks go by dates
_REPORT: Final = ("audit", "report", "--html", "../report.html")
_GIT: Final = ("git", "log", "--format=%H", "--", ".shiplock")


def audit(runs: int, folder: Path) -> list[Comparison]:
    """`lockship audit` against `git log -- .shiplock`: 100,000 commits, 1,000 locks."""
    project = _made(folder, "many", _COMMITS, _LOCKS)

    def cold(project: Project = project) -> dict[str, float]:
        _forget(project)
        return dict(project.lockship("audit", "log"))

    found = []
    theirs = partial(project.run, _GIT)
    for name, ours, aim in (
        ("`lockship audit log`, the first time", cold, 2.0),
        ("`lockship audit log`, again", partial(project.lockship, "audit", "log"), 1.0),
        ("`lockship audit verify`", partial(project.lockship, "audit", "verify"), None),
        ("`lockship audit report --html`", partial(project.lockship, *_REPORT), None),
    ):
        mine, other = take_turns(runs, ours, theirs)
        words = (name, "`git log -- .shiplock`")
        found.append(Comparison("s", *words, mine["s"], other["s"], aim=aim))
        if ours is cold:
            words = (f"{name}, in processor time", words[1])
            found.append(Comparison("CPU", *words, mine["CPU"], other["CPU"]))
    told = _made(folder, "records", _COMMITS, _LOCKS, records=True)
    mine, other = take_turns(runs, partial(cold, told), partial(cold, project))
    words = ("the first time, with 1,000 records of deploys", "without one")
    found.append(Comparison("s", *words, mine["s"], other["s"]))
    return [*found, *_memories(runs, folder, project)]


def _memories(runs: int, folder: Path, project: Project) -> Iterator[Comparison]:
    """Compare the memory with that for fewer commits, and for ten times as many locks."""
    what = "memory of `lockship audit log`, the first time"
    few = _made(folder, "few-commits", _COMMITS // 10, _LOCKS)
    mine, other = take_turns(runs, partial(_memory, project), partial(_memory, few))
    sides = (what, "the same with 10,000 commits")
    yield Comparison("MiB", *sides, mine["MiB"], other["MiB"], aim=1.1)
    often = _made(folder, "many-locks", _COMMITS, _LOCKS * 10)
    mine, other = take_turns(runs, partial(_memory, often), partial(_memory, project))
    sides = (f"{what}, with 10,000 locks", "the same with 1,000 locks")
    yield Comparison("MiB", *sides, mine["MiB"], other["MiB"])
    seldom = _made(folder, "few-locks", _COMMITS, _LOCKS // 10)
    less, least = take_turns(runs, partial(_memory, project), partial(_memory, seldom))
    sides = ("that for each lock more, from 1,000 to 10,000", "the same from 100 to 1,000")
    each = (_growth(mine, other, 9 * _LOCKS), _growth(less, least, 9 * _LOCKS // 10))
    yield Comparison("KiB", *sides, *each)


def _growth(more: Mapping[str, Series], less: Mapping[str, Series], locks: int) -> Series:
    """Return what each of so many more locks took, in KiB."""
    return Series(((more["MiB"].median - less["MiB"].median) * 1024 / locks,))


def _made(folder: Path, name: str, commits: int, locks: int, *, records: bool = False) -> Project:
    (folder / name).mkdir()
    project = on_this_machine(folder / name)
    _many_commits(project, folder, commits, locks, records=records)
    return project


def _forget(project: Project) -> None:
    shutil.rmtree(Path(project.env["HOME"]) / ".cache/lockship/audit", ignore_errors=True)


def _memory(project: Project) -> Sample:
    """Return the peak memory of a first look, without that of git beside it."""
    _forget(project)
    return project.peak("audit", "log")


def _many_commits(
    project: Project, folder: Path, commits: int, locks: int, *, records: bool
) -> None:
    """Make a line of commits, each changing one file of many; some of them the lock.

    With `records`, each lock is followed by a commit that only records its deploy.
    """
    add_service(project)
    # The lock that only holds pins for `prepare` stays out of the history.
    project.write(".git/info/exclude", ".shiplock\n")
    project.commit()
    project.lockship("prepare")
    lock = parse((project.folder / ".shiplock").read_bytes(), ".shiplock")
    stream = folder / "stream"
    with stream.open("wb") as file:
        file.writelines(_stream(lock, commits, commits // locks, records=records))
    project.git("fast-import", "--quiet", "--done", stdin=stream)
    stream.unlink()
    project.git("repack", "-adq")
    project.git("reset", "--quiet", "--hard", "past")


def _stream(lock: Lock, commits: int, each: int, *, records: bool) -> Iterator[bytes]:
    """Yield git-fast-import(1)'s input; every `each`th commit changes the lock."""
    changed = lock
    chance = random.Random(1)  # noqa: S311 - the same history each time
    paths = [f"src/part{n % 40}/unit{n // 400}/file{n}.py" for n in range(_FILES)]
    for number in range(commits):
        date = _BEGIN + 600 * number
        yield b"commit refs/heads/past\n"
        yield b"author A <a@example.com> %d +0000\n" % date
        yield b"committer A <a@example.com> %d +0000\n" % date
        is_record = records and number % each == 2
        said = _deployed(changed, date) if is_record else f"Change {number}\n"
        yield _data(said.encode())
        if number == 0:
            yield b"from %s\n" % lock.source.commit.encode()
            for path in paths:
                yield b"M 100644 inline %s\n" % path.encode() + _data(path.encode())
        elif number % each == 1:
            # Its source stays: what is measured is how lockship looks, not what it finds.
            changed = sealed(replace(lock, env={"NUMBER": str(number)}))
            yield b"M 100644 inline .shiplock\n" + _data(dump(changed))
        elif not is_record:
            path = chance.choice(paths)
            yield b"M 100644 inline %s\n" % path.encode() + _data(b"%d\n" % number)
    yield b"done\n"


def _deployed(lock: Lock, date: int) -> str:
    at = datetime.fromtimestamp(date, UTC).isoformat()
    return message(lock, "deploy", "deployed", at=at, performer="a@laptop")


def _data(data: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(data), data)
