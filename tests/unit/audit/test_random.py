"""Random histories with a small model of the truth: the audit says what was done, no more."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lockship.audit import revisions
from lockship.audit.entries import entries
from lockship.audit.entry import Entry
from lockship.audit.history import History, look
from lockship.git import Repository
from lockship.lock.model import Lock
from lockship.lock.writer import dump
from tests.unit.locks import make_lock

LOCKS: tuple[Lock, ...] = tuple(make_lock(env={"N": str(number)}) for number in range(3))
PATHS = (".shiplock", ".shiplock.eu", "sub/.shiplock")
Tree = dict[str, int]  # path to the number of the lock that is there


@dataclass
class Made:
    """A commit as the model knows it."""

    number: int
    parents: tuple[int, ...]
    tree: Tree
    ancestors: frozenset[int]
    date: int  # a clock may be wrong
    record: int | None = None  # the number of the lock of which its message records a deploy


@dataclass
class Model:
    """What was done, and so what there is to be told: (commit, path, kind, lock)."""

    commits: list[Made] = field(default_factory=list)

    def add(
        self, parents: tuple[int, ...], tree: Tree, date: int, record: int | None = None
    ) -> None:
        above = [self.commits[parent] for parent in parents]
        older = frozenset(parents).union(*(each.ancestors for each in above))
        self.commits.append(Made(len(self.commits), parents, tree, older, date, record))

    def told(self, tip: int) -> set[tuple[int, str, str, int | None]]:
        reached = {tip} | self.commits[tip].ancestors
        return {each for number in reached for each in self._changes(self.commits[number])}

    def _changes(self, made: Made) -> Iterator[tuple[int, str, str, int | None]]:
        if made.record is not None:
            here = made.record in made.tree.values()
            yield (made.number, "", "recorded" if here else "attempted", made.record)
        for path, _, now in self._differing(made):
            if now is None:
                yield (made.number, path, "removed", None)
            else:
                stood = any(
                    (path, now) in {(p, n) for p, _, n in self._differing(self.commits[older])}
                    for older in made.ancestors
                )
                yield (made.number, path, "rollback" if stood else "locked", now)

    def _differing(self, made: Made) -> list[tuple[str, int | None, int | None]]:
        trees = [self.commits[parent].tree for parent in made.parents] or [{}]
        return [
            (path, trees[0].get(path), made.tree.get(path))
            for path in PATHS
            if all(tree.get(path) != made.tree.get(path) for tree in trees)
        ]


@st.composite
def models(draw: st.DrawFn) -> Model:
    model = Model()
    model.add((), {}, 0)
    for step in range(draw(st.integers(1, 8))):
        date = 10 * step + draw(st.sampled_from([0, 0, 5, 25, -25]))
        known = st.integers(0, len(model.commits) - 1)
        parents = tuple(draw(st.lists(known, min_size=1, max_size=3, unique=True)))
        tree = dict(model.commits[parents[0]].tree)
        if len(parents) == 1 and draw(st.booleans()):
            model.add(parents, tree, date, draw(st.sampled_from(range(len(LOCKS)))))
            continue
        # One path in a commit: a file that vanishes as another comes is a move, tried elsewhere.
        path = draw(st.sampled_from(PATHS))
        there = draw(
            st.sampled_from([None, 0, 1, 2, *(model.commits[p].tree.get(path) for p in parents)])
        )
        tree.pop(path, None)
        if there is not None:
            tree[path] = there
        model.add(parents, tree, date)
    return model


def stream(model: Model) -> bytes:
    """The history for `git fast-import`; each commit is a branch of its own."""
    out = b""
    for made in model.commits:
        subject = f"{made.number}\n\n{trailers(made)}".encode()
        out += b"commit refs/heads/c%d\nmark :%d\n" % (made.number, made.number + 1)
        out += b"committer A <a@x.org> %d +0000\n" % (1_700_000_000 + made.date)
        out += b"data %d\n%s\n" % (len(subject), subject)
        for position, parent in enumerate(made.parents):
            out += b"%s :%d\n" % (b"merge" if position else b"from", parent + 1)
        out += b"deleteall\nM 100644 inline app.txt\ndata 1\nx\n"
        for path, number in made.tree.items():
            data = dump(LOCKS[number])
            out += b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data)
    return out


@settings(max_examples=30, deadline=None)
@given(models())
def test_the_audit_says_what_was_done(model: Model) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        git(root, "init", "--quiet")
        git(root, "fast-import", "--quiet", stdin=stream(model))
        repository = Repository.discover(root)
        # In turns and with one memory: what was remembered of one tip must not show at another.
        for made in model.commits:
            oid = git(root, "rev-parse", f"c{made.number}")
            history = look(repository, [oid], everywhere=True, cache=root / "cache")
            assert told(repository, history, model) == model.told(made.number)


def trailers(made: Made) -> str:
    if made.record is None:
        return ""
    lock = LOCKS[made.record]
    return (
        f"Lockship-Version: {lock.service.version}\nLockship-Fingerprint: {lock.fingerprint}\n"
        f"Lockship-Hosts: {', '.join(lock.every_host)}\nLockship-Outcome: deployed\n"
        f"Lockship-Deployed-At: {made.number}"
    )


def told(
    repository: Repository, history: History, model: Model
) -> set[tuple[int, str, str, int | None]]:
    def is_ancestor(old: str, new: str) -> bool:
        return revisions.is_ancestor(repository, old, new)

    found = entries(history, is_ancestor)
    check_records(found, is_ancestor)
    numbers = [int(each.commit.subject) for each in found]
    for place, newer in enumerate(numbers):
        assert not model.commits[newer].ancestors & set(numbers[:place])
    said = [
        (int(each.commit.subject), each.path if each.is_state else "", each.kind, number(each))
        for each in found
    ]
    assert len(said) == len(set(said))
    return set(said)


def check_records(found: list[Entry], is_ancestor: Callable[[str, str], bool]) -> None:
    """Each record is one of a lock that was in force, at a state that is below it."""
    records = {each.own: each for each in found if each.kind == "recorded"}
    told = [(record, each) for each in found for record in each.later]
    for record, state in told:
        assert records[record].file == state.file and records[record].lock == state.lock
        assert is_ancestor(state.commit.id, records[record].commit.id)
    assert {record for record, _ in told} == set(records)


def number(entry: Entry) -> int | None:
    if entry.lock is None:
        fingerprint = entry.own.fingerprint if entry.own else None
        return next((n for n, each in enumerate(LOCKS) if each.fingerprint == fingerprint), None)
    return int(entry.lock.env["N"])


def git(folder: Path, *words: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["git", *words], cwd=folder, input=stdin, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().strip()
