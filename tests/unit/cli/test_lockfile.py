"""Finding the lock, and writing what was built into it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from lockship.cli import lockfile
from lockship.errors import RefusedError, UsageError
from lockship.lock import reader, writer
from lockship.lock.fingerprint import sealed
from lockship.lock.model import Service
from tests.unit.deploy.samples import make_artifact, make_lock


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    (root / ".git").mkdir(parents=True)
    (root / "src" / "deep").mkdir(parents=True)
    return root


def test_the_lock_is_at_the_root_of_the_repository(repository: Path) -> None:
    lock = make_lock()
    writer.write(repository / ".shiplock", lock)
    found = lockfile.find(repository / "src" / "deep", None)
    assert found == lockfile.Found(repository, repository / ".shiplock", lock)


def test_a_linked_worktree_has_a_file_named_git(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /somewhere\n")
    (tmp_path / "sub").mkdir()
    assert lockfile.repository_root(tmp_path / "sub") == tmp_path


def test_without_git_the_lock_is_where_one_stands(tmp_path: Path) -> None:
    writer.write(tmp_path / ".shiplock", make_lock())
    assert lockfile.find(tmp_path, None).root == tmp_path


def test_a_missing_lock(repository: Path) -> None:
    with pytest.raises(UsageError, match=r"no \.shiplock\.staging here"):
        lockfile.find(repository, "staging")


def test_a_renamed_lock_is_refused(repository: Path) -> None:
    writer.write(repository / ".shiplock.staging", make_lock())
    with pytest.raises(RefusedError, match="another destination"):
        lockfile.find(repository, "staging")


def test_the_lock_of_a_destination(repository: Path) -> None:
    lock = make_lock()
    service = Service(name="shop", version=lock.service.version, destination="staging")
    lock = writer.sealed(msgspec.structs.replace(lock, service=service))
    writer.write(repository / ".shiplock.staging", lock)
    assert lockfile.find(repository, "staging").lock == lock


def test_an_artifact_is_written_and_nothing_else(repository: Path) -> None:
    lock = make_lock()
    path = repository / ".shiplock"
    writer.write(path, lock)
    path.write_text("# ours\n" + path.read_text())
    before = path.read_text()
    found = lockfile.record_artifact(lockfile.find(repository, None), make_artifact(lock))
    assert found.lock.artifact == make_artifact(lock)
    assert reader.read(path) == found.lock
    assert path.read_text().startswith(before)


def test_a_lock_that_changed_meanwhile_does_not_get_the_artifact(repository: Path) -> None:
    lock = make_lock("one")
    path = repository / ".shiplock"
    writer.write(path, lock)
    found = lockfile.find(repository, None)
    writer.write(path, make_lock("two"))
    with pytest.raises(RefusedError, match="changed while its image was built"):
        lockfile.record_artifact(found, make_artifact(lock))
    assert reader.read(path) == make_lock("two")


def test_a_lock_that_changed_meanwhile_is_not_put_back_over(repository: Path) -> None:
    """A rollback that fails takes back what it wrote, and not what somebody prepared meanwhile."""
    path = repository / ".shiplock"
    made = make_lock()
    before, chosen, newer = (
        sealed(msgspec.structs.replace(made, env={"A": each})) for each in "123"
    )
    found = lockfile.Found(repository, path, before)
    writer.write(path, chosen)
    lockfile.put_back(found, chosen)
    assert reader.read(path) == before
    for there in (newer, None):
        path.write_text("<<<<<<< HEAD\n")
        if there is not None:
            path.unlink()
            writer.write(path, there)
        now = path.read_bytes()
        lockfile.put_back(found, chosen)
        assert path.read_bytes() == now
