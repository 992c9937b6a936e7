"""A valid history with one corruption is refused; without one it is accepted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lockship.errors import RefusedError
from lockship.git import Repository
from lockship.hook import span
from lockship.hook.objection import Verdict
from lockship.hook.verdict import verdict
from lockship.lock.fingerprint import sealed
from lockship.lock.model import Lock
from lockship.lock.reader import to_tables
from lockship.lock.writer import dump
from lockship.prepare.prepare import prepare
from tests.unit.gitrepo import Repo, create
from tests.unit.hook.scenes import LOCK

History = tuple[Repo, list[Lock], Lock]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Three locks, each of its own content, and one of another history."""
    repo = create(tmp_path_factory.mktemp("corrupt") / "shop")
    repo.write(".lockship/hooks/pre-switch", "#!/bin/sh\nexec ./check\n", executable=True)
    locks = []
    for number in range(3):
        repo.write("app.txt", f"{number}\n")
        repo.commit(f"App {number}")
        locks.append(prepare(repo.path).lock)
        repo.commit(f"Lock {number}")
    other = create(repo.path.parent / "other")
    other.write("app.txt", "other\n")
    other.commit("Other")
    return repo, locks, prepare(other.path).lock


def judged(repo: Repo, data: bytes) -> Verdict:
    """Judge a history that ends in this lock."""
    blob = repo.git("hash-object", "-w", "--", str(repo.write(".git/corrupted", data)))
    repo.git("read-tree", "main")
    repo.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{LOCK}")
    tree = repo.git("write-tree")
    commit = repo.git("commit-tree", tree, "-p", "main", "-m", "Lock")
    repository = Repository.discover(repo.path)
    with repository.objects() as objects:
        return verdict(repository, objects, span.named(repository, commit, "refs/heads/main"))


def test_no_corruption(history: History) -> None:
    repo, locks, _ = history
    for lock in locks:
        said = judged(repo, dump(lock))
        assert said.objections == ()
        assert [note.kind for note in said.notes] == ([] if lock is locks[-1] else ["rollback"])


@settings(max_examples=25)
@given(data=st.data())
def test_a_byte(history: History, data: st.DataObject) -> None:
    repo, locks, _ = history
    sound = dump(locks[-1])
    at = data.draw(st.integers(0, len(sound) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != sound[at]))
    damaged = sound[:at] + bytes([byte]) + sound[at + 1 :]
    # A letter of a comment changes no value.
    same = _tables(damaged) == _tables(sound)
    assert bool(judged(repo, damaged).objections) is not same


def _tables(data: bytes) -> dict[str, Any] | None:
    try:
        return to_tables(data, LOCK)
    except RefusedError:
        return None


FIELDS = [
    ("service", "version"),
    ("source", "commit"),
    ("source", "tree"),
    ("source", "subject"),
    ("source", "author"),
    ("source", "committed_at"),
    ("image", "tag"),
    ("hooks", "pre_switch"),
]


@settings(max_examples=20)
@given(field=st.sampled_from(FIELDS), which=st.integers(0, 2), seed=st.integers(0, 39))
def test_a_field_of_a_sealed_lock(
    history: History, field: tuple[str, str], which: int, seed: int
) -> None:
    repo, locks, _ = history
    lock, (table, key) = locks[which], field
    value = getattr(getattr(lock, table), key)
    letters = [at for at, letter in enumerate(value) if letter.isalnum()]
    at = letters[seed % len(letters)]
    other = value[:at] + ("1" if value[at] == "0" else "0") + value[at + 1 :]
    changed = sealed(replace(lock, **{table: replace(getattr(lock, table), **{key: other})}))
    name = f"{table}.{key.replace('_', '-')}"
    assert name in {objection.field for objection in judged(repo, dump(changed)).objections}


def test_a_swapped_tree_and_another_history(history: History) -> None:
    repo, locks, foreign = history
    tree = locks[0].source.tree
    swapped = sealed(replace(locks[2], source=replace(locks[2].source, tree=tree)))
    assert [each.field for each in judged(repo, dump(swapped)).objections] == ["source.tree"]
    assert [each.field for each in judged(repo, dump(foreign)).objections] == ["source.commit"]
