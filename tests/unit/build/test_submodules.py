"""Submodules: their content at the locked commit, wherever their objects are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lockship.errors import RefusedError
from tests.unit.build.conftest import Bring
from tests.unit.locks import commit_all, git, make_lock

ADD = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add")
UPDATE = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A repository with a submodule of its own."""
    for name in ("deep", "library"):
        path = tmp_path / name
        path.mkdir()
        git(path, "init", "--quiet")
        (path / f"{name}.txt").write_text(f"{name} one\n")
        (path / ".shiplock").write_text("its own business\n")
        commit_all(path)
    git(tmp_path / "library", *ADD, str(tmp_path / "deep"), "inner/deep")
    commit_all(tmp_path / "library")
    return tmp_path / "library"


@pytest.fixture
def outer(repository: Path, library: Path) -> Path:
    """The repository with that submodule, at a path that isn't its name."""
    git(repository, *ADD, "--name", "a name", str(library), "vendor/library")
    git(repository, *UPDATE, "--recursive")
    commit_all(repository)
    return repository


def test_nested_ones_at_their_locked_commit(bring: Bring, outer: Path) -> None:
    lock = make_lock(outer)
    (outer / "vendor/library/library.txt").write_text("two\n")
    git(outer / "vendor/library", "commit", "-qam", "two")

    files = bring(outer, lock)

    assert (files / "vendor/library/library.txt").read_text() == "library one\n"
    assert (files / "vendor/library/inner/deep/deep.txt").read_text() == "deep one\n"
    assert (files / "vendor/library/.shiplock").exists()
    assert (files / "index.html").read_text() == "one\n"


def test_the_next_commit_of_one_is_brought(bring: Bring, outer: Path) -> None:
    files = bring(outer, make_lock(outer))
    before = (files / "vendor/library/inner/deep/deep.txt").stat().st_ino
    (outer / "vendor/library/library.txt").write_text("two\n")
    git(outer / "vendor/library", "commit", "-qam", "two")
    commit_all(outer)

    bring(outer, make_lock(outer))

    assert (files / "vendor/library/library.txt").read_text() == "two\n"
    assert (files / "vendor/library/inner/deep/deep.txt").stat().st_ino == before


def test_its_objects_are_found_when_the_working_tree_is_gone(bring: Bring, outer: Path) -> None:
    shutil.rmtree(outer / "vendor")
    files = bring(outer, make_lock(outer))
    assert (files / "vendor/library/inner/deep/deep.txt").exists()


def test_one_with_a_git_folder_of_its_own(bring: Bring, repository: Path, library: Path) -> None:
    git(repository, "clone", "--quiet", str(library), "vendor")
    git(repository / "vendor", *UPDATE)
    commit_all(repository)

    files = bring(repository, make_lock(repository))

    assert (files / "vendor/library.txt").read_text() == "library one\n"


def test_in_a_linked_worktree(bring: Bring, outer: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git(outer, "worktree", "add", "--quiet", "--detach", str(linked))
    git(linked, *UPDATE, "--recursive")
    shutil.rmtree(outer / ".git/modules")

    assert (bring(linked, make_lock(linked)) / "vendor/library/library.txt").exists()


@pytest.mark.parametrize("missing", ["a name", "a name/modules/inner/deep"])
def test_one_that_is_missing_is_named(bring: Bring, outer: Path, missing: str) -> None:
    shutil.rmtree(outer / "vendor")
    shutil.rmtree(outer / ".git/modules" / missing)
    with pytest.raises(RefusedError, match=r"'vendor/library.*isn't here") as caught:
        bring(outer, make_lock(outer))
    assert "git submodule update --init" in caught.value.hint


def test_a_name_that_leads_out_is_refused(bring: Bring, outer: Path) -> None:
    config = (outer / ".gitmodules").read_text().replace('"a name"', '"../../library/.git"')
    (outer / ".gitmodules").write_text(config)
    git(outer, "add", ".gitmodules")
    git(outer, "commit", "--quiet", "-m", "evil")
    with pytest.raises(RefusedError):
        bring(outer, make_lock(outer))


def test_git_lfs_inside_one(bring: Bring, repository: Path, library: Path) -> None:
    git(library, "lfs", "install", "--local")
    git(library, "lfs", "track", "*.bin")
    (library / "big.bin").write_bytes(b"big" * 1000)
    commit_all(library)
    git(repository, *ADD, str(library), "library")
    commit_all(repository)
    storage = repository / ".git/modules/library/lfs"
    shutil.copytree(library / ".git/lfs", storage, dirs_exist_ok=True)

    # The deeper one, which ADD doesn't fetch, is needed too.
    git(repository, *UPDATE, "--recursive")
    files = bring(repository, make_lock(repository))

    assert (files / "library/big.bin").read_bytes() == b"big" * 1000
