"""What a lock names beside its tree and is not here: said with what to fetch, the same for all."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from lockship.cli.accessories import given
from lockship.cli.lockfile import Found
from lockship.errors import RefusedError
from lockship.hook import scripts
from lockship.lock.accessory import Accessory
from lockship.lock.fingerprint import sealed
from lockship.lock.hooks import locked
from lockship.lock.model import Lock
from lockship.lock.version import snapshot_ref
from lockship.lockedblobs import read_blobs
from tests.unit.gitrepo import create
from tests.unit.locks import make_lock

GONE = "9" * 40


def made(root: Path) -> tuple[Found, str]:
    """A lock whose database has two files: one is in git, one isn't."""
    repo = create(root)
    repo.write("init.sql", "create table t (n int);\n")
    repo.commit("Make a table")
    blob = repo.git("rev-parse", "HEAD:init.sql")
    files = (f"100644 {blob} init.sql:/docker/init.sql", f"100644 {GONE} more.sql:/docker/more.sql")
    database = Accessory(image="postgres:16", hosts=("local",), files=files)
    lock = sealed(replace(make_lock(root), accessories={"db": database}))
    return Found(root, root / ".shiplock", lock), blob


def test_a_file_of_an_accessory(tmp_path: Path) -> None:
    found, blob = made(tmp_path / "shop")
    with pytest.raises(RefusedError) as caught:
        given(found, "db", only_plan=False)
    assert (
        caught.value.message
        == "Files of accessories that the lock names aren't in this repository."
    )
    assert caught.value.details == (f"db more.sql: {GONE}",)
    assert caught.value.hint == f"Fetch them: `git fetch origin {found.lock.source.commit}`."
    database = found.lock.accessories["db"]
    whole = replace(found.lock, accessories={"db": replace(database, files=database.files[:1])})
    had = given(replace(found, lock=whole), "db", only_plan=False)
    assert had.files == {blob: b"create table t (n int);\n"}


def test_without_a_repository(tmp_path: Path) -> None:
    found, _ = made(tmp_path / "shop")
    with pytest.raises(RefusedError, match=r"\(db init.sql, db more.sql\).*isn't here") as caught:
        given(replace(found, root=tmp_path), None, only_plan=False)
    assert found.lock.source.commit[:12] in caught.value.hint


def forced(root: Path, version: str) -> Lock:
    lock = make_lock(
        root,
        source={"snapshot": "5" * 40, "dirty": True, "release": True},
        service={"name": "shop", "version": version},
    )
    return replace(lock, hooks=locked({"pre-deploy": GONE}, None))


def test_a_snapshot_is_fetched_by_its_ref_whatever_the_version_is_called(tmp_path: Path) -> None:
    """Many servers give no commit that none of their refs names."""
    create(tmp_path / "shop")
    lock = forced(tmp_path / "shop", "v1.2")
    ref = snapshot_ref(lock.source.commit, lock.source.tree)
    assert "-dirty-" in ref
    with pytest.raises(RefusedError) as caught:
        scripts.read(tmp_path / "shop", lock)
    assert f"`git fetch origin {ref}:{ref}`" in caught.value.hint
    assert f"`git push origin {ref}`" in caught.value.hint


def test_nothing_named_needs_no_repository(tmp_path: Path) -> None:
    assert read_blobs(tmp_path, make_lock(), "deploy hooks", {}) == {}
