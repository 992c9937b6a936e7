"""Locks made by `prepare` are true; each way in which one can lie is found, and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from lockship.git import Repository
from lockship.gitobjects import content_tree
from lockship.history.content import Contents
from lockship.history.truth import Evidence, Truth, judge
from lockship.lock.fingerprint import build_key, sealed
from lockship.lock.image import Artifact
from lockship.lock.model import Lock
from lockship.lock.version import SNAPSHOTS
from lockship.lock.writer import dump
from lockship.prepare.prepare import prepare
from tests.unit.gitrepo import CONFIG, Repo, clone, create

FILE = 0o100644


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repo, Lock, Lock]:
    """A repository with its lock, and a forced lock of a dirty state."""
    repo = create(tmp_path_factory.mktemp("history") / "shop")
    clean = prepare(repo.path).lock
    repo.write("app.txt", "dirty\n")
    repo.write("neu.txt", "new\n")
    dirty = prepare(repo.path, force=True).lock
    repo.git("checkout", "--quiet", "--", ".")
    (repo.path / "neu.txt").unlink()
    return repo, clean, dirty


def told(repo: Repo, data: bytes | Lock, before: bytes | Lock | None = None, **how: Any) -> Truth:
    """Judge a lock that is in git and nowhere else."""
    blobs = [
        repo.git("hash-object", "-w", "--", str(repo.write(name, _bytes(each))))
        for name, each in ((".git/judged", data), (".git/before", before))
        if each is not None
    ]
    repository = Repository.discover(repo.path)
    with repository.objects() as objects:
        evidence = Evidence(repository, objects, Contents(objects))
        where = {"path": b".shiplock", "mode": FILE, **how}
        return judge(evidence, blob=blobs[0], before=blobs[1] if before else None, **where)


def _bytes(lock: bytes | Lock) -> bytes:
    return lock if isinstance(lock, bytes) else dump(lock)


def fields(truth: Truth) -> list[tuple[str, str]]:
    return [(finding.kind, finding.field) for finding in truth.findings]


def changed(lock: Lock, table: str, **values: Any) -> Lock:
    """Return the lock with other values, and sealed again: the liar knows the format."""
    return sealed(replace(lock, **{table: replace(getattr(lock, table), **values)}))


def test_what_prepare_writes_is_true(shop: tuple[Repo, Lock, Lock]) -> None:
    repo, clean, dirty = shop
    for lock in (clean, dirty):
        assert told(repo, lock) == Truth(lock)
    release = prepare(repo.path, version="1.0").lock
    assert release.source.release
    assert told(repo, release) == Truth(release)


LIES = [
    ("source", {"commit": "0" * 40}, [("missing", "source.commit")]),
    ("source", {"subject": "harmless"}, [("source", "source.subject")]),
    ("source", {"author": "Eve <eve@example.com>"}, [("source", "source.author")]),
    ("source", {"committed_at": "2020-01-01T00:00:00+00:00"}, [("source", "source.committed-at")]),
    ("source", {"snapshot": "1" * 40}, [("snapshot", "source.snapshot")]),
    ("source", {"changes": ("M app.txt",)}, [("snapshot", "source.changes")]),
    ("service", {"version": "1.0"}, [("version", "service.version"), ("version", "image.tag")]),
    ("service", {"destination": "live"}, [("place", "service.destination")]),
    ("image", {"tag": "latest"}, [("version", "image.tag")]),
]


@pytest.mark.parametrize(("table", "values", "expected"), LIES)
def test_a_sealed_lie_is_found(
    shop: tuple[Repo, Lock, Lock],
    table: str,
    values: dict[str, Any],
    expected: list[tuple[str, str]],
) -> None:
    repo, clean, _ = shop
    assert fields(told(repo, changed(clean, table, **values))) == expected


def test_another_tree_is_found(shop: tuple[Repo, Lock, Lock]) -> None:
    repo, clean, dirty = shop
    swapped = changed(clean, "source", tree=dirty.source.tree)
    (finding,) = told(repo, swapped).findings
    assert (finding.field, finding.what) == (
        "source.tree",
        f'"{dirty.source.tree}" should be "{clean.source.tree}"',
    )


def test_a_source_that_is_no_commit(shop: tuple[Repo, Lock, Lock]) -> None:
    repo, clean, _ = shop
    lie = changed(clean, "source", commit=clean.source.tree)
    assert fields(told(repo, lie)) == [("source", "source.commit")]


class TestForced:
    def test_another_snapshot(self, shop: tuple[Repo, Lock, Lock]) -> None:
        repo, clean, dirty = shop
        lie = changed(dirty, "source", snapshot=clean.source.commit)
        assert fields(told(repo, lie)) == [("snapshot", "source.snapshot")]

    def test_another_tree(self, shop: tuple[Repo, Lock, Lock]) -> None:
        repo, clean, dirty = shop
        lie = changed(dirty, "source", tree="1" * 40)
        assert ("snapshot", "source.snapshot") in fields(told(repo, lie))
        lie = changed(dirty, "source", tree=clean.source.tree)
        assert ("source", "source.dirty") in fields(told(repo, lie))

    def test_hidden_changes(self, shop: tuple[Repo, Lock, Lock]) -> None:
        repo, _, dirty = shop
        assert dirty.source.changes == ("M app.txt", "A neu.txt")
        lie = changed(dirty, "source", changes=dirty.source.changes[1:])
        assert fields(told(repo, lie)) == [("snapshot", "source.changes")]

    def test_as_if_it_were_clean(self, shop: tuple[Repo, Lock, Lock]) -> None:
        repo, _, dirty = shop
        lie = changed(dirty, "source", dirty=False, snapshot=None, changes=())
        assert ("source", "source.tree") in fields(told(repo, lie))

    def test_a_snapshot_that_is_elsewhere(
        self, shop: tuple[Repo, Lock, Lock], tmp_path: Path
    ) -> None:
        repo, _, dirty = shop
        other = clone(repo, tmp_path / "other")
        (finding,) = told(other, dirty).findings
        assert (finding.kind, finding.field) == ("missing", "source.snapshot")
        other.git(*finding.hint.strip("`").split()[1:])
        assert SNAPSHOTS in other.git("for-each-ref")
        assert told(other, dirty).findings == ()


def test_an_artifact_of_another_lock(shop: tuple[Repo, Lock, Lock]) -> None:
    repo, clean, _ = shop
    image = "sha256:" + "a" * 64
    built = replace(clean, artifact=Artifact(key=build_key(clean), image_id=image))
    assert told(repo, built).findings == ()
    other = replace(clean, artifact=Artifact(key=image, image_id=image))
    assert fields(told(repo, other)) == [("artifact", "artifact.key")]


class TestEditedByHand:
    def edited(self, lock: Lock, old: str, new: str) -> bytes:
        text = dump(lock).decode()
        assert text.count(old) == 1
        return text.replace(old, new).encode()

    def test_against_the_last_lock(self, shop: tuple[Repo, Lock, Lock]) -> None:
        repo, clean, _ = shop
        data = self.edited(clean, 'hosts = ["local"]', 'hosts = ["local"]\nmemory = "9g"')
        (finding,) = told(repo, data, before=clean).findings
        assert (finding.kind, finding.field) == ("edited", "roles.web.memory")
        assert finding.what == "it was edited by hand"

    def test_prepared_anew_and_then_edited(self, shop: tuple[Repo, Lock, Lock]) -> None:
        repo, clean, dirty = shop
        data = self.edited(dirty, 'repository = "shop"', 'repository = "other"')
        assert told(repo, data, before=clean).findings[0].field == "image.repository"

    def test_against_git(self, shop: tuple[Repo, Lock, Lock]) -> None:
        repo, clean, _ = shop
        data = self.edited(clean, 'subject = "first"', 'subject = "harmless"')
        assert told(repo, data).findings[0].field == "source.subject"

    def test_where_nothing_tells(self, shop: tuple[Repo, Lock, Lock]) -> None:
        repo, clean, _ = shop
        data = self.edited(clean, 'repository = "shop"', 'repository = "other"')
        (finding,) = told(repo, data).findings
        assert (finding.kind, finding.field) == ("edited", "fingerprint")


UNREADABLE = {
    b"": ("damaged", "lock-version"),
    b"\xff\xfe": ("damaged", ""),
    b"<<<<<<< HEAD\n": ("damaged", ""),
    b"lock-version = 2\n": ("newer", "lock-version"),
    b"lock-version = 1\n": ("damaged", "fingerprint"),
    b"lock-version = 0x" + b"f" * 100_000: ("damaged", "lock-version"),
    b"a" * (1 << 21): ("damaged", ""),
    b"x = " + b"[" * 500_000: ("damaged", ""),
    b"x = {" + b"a." * 400_000 + b"a = 1}": ("damaged", ""),
    b'"a".' * 200_000 + b"a = 1": ("damaged", ""),
}


@pytest.mark.parametrize("data", UNREADABLE, ids=lambda data: repr(data[:20]))
def test_what_is_no_lock(shop: tuple[Repo, Lock, Lock], data: bytes) -> None:
    repo, *_ = shop
    assert fields(told(repo, data)) == [UNREADABLE[data]]


@pytest.mark.parametrize("mode", [0o120000, 0o160000, 0o040000])
def test_what_is_no_file(shop: tuple[Repo, Lock, Lock], mode: int) -> None:
    repo, clean, _ = shop
    assert fields(told(repo, clean, mode=mode)) == [("place", "")]


def test_content_trees_are_those_of_prepare(tmp_path: Path) -> None:
    repo = create(tmp_path / "shop", config=CONFIG)
    for name in (".shiplock", "a/.shiplock.live", "a/b/.shiplock", "a/b/c/x", "d/.shiplock.UP"):
        repo.write(name, "x\n")
    (repo.path / "d/.shiplock").symlink_to("x")
    repo.commit("lockfiles everywhere")
    repo.write("a/b/c/x", "y\n")
    repo.commit("a change")
    lockfiles = {b".shiplock", b"a/.shiplock.live", b"a/b/.shiplock"}  # not the symlink, nor "UP"
    with Repository.discover(repo.path).objects() as objects:
        contents = Contents(objects)
        for revision in ("HEAD", "HEAD~1", "HEAD~2", "HEAD"):
            tree = repo.git("rev-parse", f"{revision}^{{tree}}")
            there = set(repo.git("ls-tree", "-r", "--name-only", tree).encode().split())
            expected = content_tree(objects.read, tree, frozenset(there & lockfiles))
            assert contents.of(tree) == expected


def test_hooks_that_are_not_those_of_the_content(tmp_path: Path) -> None:
    repo = create(tmp_path / "shop")
    for name in ("pre-deploy", "post-deploy"):
        repo.write(f".lockship/hooks/{name}", f"#!/bin/sh\necho {name}\n", executable=True)
    repo.commit()
    lock = prepare(repo.path).lock
    assert told(repo, lock) == Truth(lock)
    assert lock.hooks is not None
    other = lock.hooks.post_deploy
    swapped = told(repo, changed(lock, "hooks", pre_deploy=other))
    assert fields(swapped) == [("hooks", "hooks.pre-deploy")]
    assert " should be " in swapped.findings[0].what
    assert fields(told(repo, changed(lock, "hooks", pre_deploy=None))) == [
        ("hooks", "hooks.pre-deploy")
    ]
    assert fields(told(repo, sealed(replace(lock, hooks=None)))) == [
        ("hooks", "hooks.pre-deploy"),
        ("hooks", "hooks.post-deploy"),
    ]
    assert fields(told(repo, changed(lock, "hooks", pre_switch=other))) == [
        ("hooks", "hooks.pre-switch")
    ]
    nowhere = told(repo, changed(lock, "hooks", pre_switch=f"100755 {'1' * 40}"))
    assert fields(nowhere) == [("hooks", "hooks.pre-switch"), ("missing", "hooks.pre-switch")]
    repo.write("app.txt", "dirty\n")
    forced = prepare(repo.path, force=True).lock
    assert told(repo, forced) == Truth(forced)
    assert fields(told(repo, changed(forced, "hooks", pre_deploy=None))) == [
        ("hooks", "hooks.pre-deploy")
    ]


def test_files_of_accessories_that_are_not_those_of_the_content(tmp_path: Path) -> None:
    repo = create(tmp_path / "shop")
    repo.write("db/my.cnf", "a = 1\n")
    pinned = "db:1@sha256:" + "0" * 64
    text = (
        f'[accessories.db]\nimage = "{pinned}"\nrole = "web"\nfiles = ["db/my.cnf:/etc/my.cnf"]\n'
    )
    repo.write("lockship.toml", CONFIG + text)
    repo.commit("a database")
    lock = prepare(repo.path).lock
    assert told(repo, lock) == Truth(lock)
    (file,) = lock.accessories["db"].files
    blob = file.split()[1]
    for lie in (
        file.replace(blob, repo.git("rev-parse", "HEAD:lockship.toml")),
        file.replace("100644", "100755"),
        file.replace("db/my.cnf:", "db/other.cnf:"),
        file.replace("db/my.cnf:", "db:"),
    ):
        db = replace(lock.accessories["db"], files=(lie,))
        found = told(repo, sealed(replace(lock, accessories={"db": db})))
        assert fields(found) == [("files", "accessories.db.files")], lie
    repo.write("db/my.cnf", "a = 2\n")
    forced = prepare(repo.path, force=True).lock
    assert told(repo, forced) == Truth(forced)
