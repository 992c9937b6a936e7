"""Many deploys as a team makes them, without git: for what the page looks like, and its size."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec.structs import replace

from lockship.audit.entry import Entry
from lockship.audit.report.make import Facts, make
from lockship.audit.report.model import Report
from lockship.audit.rows import row
from lockship.audit.select import Wanted
from lockship.gitobjects import rfc3339
from lockship.history.record import Record
from lockship.history.walk import LockCommit, Person
from lockship.lock.fingerprint import build_key, sealed
from lockship.lock.image import Artifact
from lockship.lock.model import Host, Lock
from lockship.lock.role import Role
from tests.unit.locks import make_lock

NOW = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
PEOPLE = ("Mara Keeper", "Jo Deployer", "Søren Ås", "Nguyễn Thị Hà")
SUBJECTS = (
    "Say when the harbour is closed",
    "Show the tide tables of the coming week",
    "Fix the opening hours on public holidays",
    "A faster search, and one that forgives typing errors in names of ships",
    "Update the map",
)


def facts(count: int, *, end: datetime = NOW, step: float = 0.5) -> Facts:
    """Return so many deploys, one every `step` days on average, the last one shortly before."""
    found = list(_entries(count, int(end.timestamp()), step))[::-1]
    return Facts(
        now=end,
        ref="main",
        commits=(_id("tip"),),
        found=found,
        rows=[row(entry) for entry in found],
        wanted=Wanted(),
        asked={},
        read=None,
        checked=len(found),
        findings=(),
        command=f"lockship audit verify {_id('tip')}",
    )


def report(count: int) -> Report:
    return make(facts(count))


def _entries(count: int, end: int, step: float) -> Iterator[Entry]:
    chance = random.Random(7)  # noqa: S311 - the same deploys each time
    at = end - int(1.1 * count * step * 86_400)
    last: dict[str | None, Entry] = {}
    for number in range(count):
        at += int(chance.expovariate(1 / (step * 86_400))) if number else 0
        at = min(at, end - 60)
        destination = "staging" if chance.random() < 0.6 else None
        kept = last.get(destination)
        back = kept is not None and kept.was is not None and chance.random() < 0.04
        lock = kept.was if back and kept else _lock(chance, number, at, destination)
        failed = chance.choice(("undone", "attention", "failed")) if chance.random() < 0.03 else ""
        who = chance.choice(PEOPLE)
        person = Person(who, f"{who.split()[0].lower()}@harbour.example", f"{at} +0200")
        performer = f"{who.split()[0].lower()}@desk"
        assert lock is not None
        entry = Entry(
            commit=LockCommit(_id(f"commit {number}"), (), person, person, _subject(lock, back)),
            file=b".shiplock" + (f".{destination}".encode() if destination else b""),
            path=".shiplock" + (f".{destination}" if destination else ""),
            kind="rollback" if back else "locked",
            lock=lock,
            was=kept.lock if kept else None,
            mode=0o100644,
            blob=_id(f"blob {number}"),
            returns_to=_id(f"commit {number - 2}") if back else None,
            own=Record(
                lock.service.version, lock.fingerprint, tuple(lock.hosts), failed or "deployed",
                rfc3339(f"{at - 40} +0200"), performer, command="rollback" if back else "deploy",
            ),
        )  # fmt: skip
        last[destination] = entry
        yield entry


def _subject(lock: Lock, back: bool) -> str:
    where = f" to {lock.service.destination}" if lock.service.destination else ""
    return f"{'Roll back' if back else 'Deploy'}{where}: {lock.service.version}"


def _lock(chance: random.Random, number: int, at: int, destination: str | None) -> Lock:
    commit, who = _id(f"source {number}"), chance.choice(PEOPLE)
    committed = at - int(chance.lognormvariate(9.5, 1.6)) - 60
    forced = chance.random() < 0.05
    version = commit[:12] + (f"-dirty-{_id('x')[:12]}" if forced else "")
    names = [f"web{n}.{destination or 'production'}.harbour.example" for n in (1, 2, 3)]
    lock = make_lock(
        service={"name": "harbour", "version": version, "destination": destination},
        source={
            "commit": commit, "tree": _id(f"tree {number}"), "subject": chance.choice(SUBJECTS),
            "author": f"{who} <{who.split()[0].lower()}@harbour.example>", "dirty": forced,
            "committed_at": rfc3339(f"{committed} +0200"), "remote": "git@example.com:harbour.git",
            "snapshot": _id(f"snapshot {number}") if forced else None,
            "changes": ("M app/main.py", "A notes.txt") if forced else (),
        },
        image={"repository": "registry.example.com/harbour", "tag": version},
        roles={"web": Role(hosts=tuple(names)), "worker": Role(hosts=(names[-1],))},
        hosts={name: Host() for name in names},
        env={"WORKERS": str(2 + number // 40), "LOG_LEVEL": "info" if number % 30 else "debug"},
    )  # fmt: skip
    built = Artifact(
        key=build_key(lock), image_id="sha256:" + _id(f"i{number}") + "0" * 24,
        digest="sha256:" + _id(f"digest {number}") + "1" * 24,
    )  # fmt: skip
    return replace(sealed(lock), artifact=built)


def _id(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 - an id of git's kind
