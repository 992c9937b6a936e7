"""Git LFS: pointers are replaced by content that is checked, or the build says which isn't here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lockship.build.lfs import Pointer, parse
from lockship.errors import RefusedError
from tests.unit.build.conftest import Bring
from tests.unit.locks import commit_all, git, make_lock

CONTENT = b"a large file\n" * 1000


@pytest.fixture
def tracked(repository: Path) -> Path:
    """The repository with a file in LFS, as git-lfs itself stores it."""
    git(repository, "lfs", "install", "--local")
    git(repository, "lfs", "track", "*.bin")
    (repository / "big.bin").write_bytes(CONTENT)
    commit_all(repository)
    assert git(repository, "show", "HEAD:big.bin").startswith("version https://git-lfs")
    return repository


def test_a_pointer_becomes_its_content(bring: Bring, tracked: Path) -> None:
    (tracked / "big.bin").chmod(0o755)
    commit_all(tracked)

    files = bring(tracked, make_lock(tracked))

    assert (files / "big.bin").read_bytes() == CONTENT
    assert (files / "big.bin").stat().st_mode & 0o111


def test_it_is_written_once(bring: Bring, tracked: Path) -> None:
    files = bring(tracked, make_lock(tracked))
    before = (files / "big.bin").stat()
    (tracked / "index.html").write_text("two\n")
    commit_all(tracked)
    shutil.rmtree(tracked / ".git/lfs/objects")

    bring(tracked, make_lock(tracked))

    after = (files / "big.bin").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_content_that_is_replaced_leaves_the_store(bring: Bring, tracked: Path) -> None:
    files = bring(tracked, make_lock(tracked))
    (tracked / "big.bin").write_bytes(b"other\n" * 30_000)
    commit_all(tracked)

    bring(tracked, make_lock(tracked))

    assert (files / "big.bin").read_bytes() == b"other\n" * 30_000
    sizes = [p.stat().st_size for p in (files.parent / "git/objects").glob("??/*")]
    assert len([size for size in sizes if size > 10_000]) == 1


def test_missing_content_is_named_with_the_remedy(bring: Bring, tracked: Path) -> None:
    shutil.rmtree(tracked / ".git/lfs/objects")
    with pytest.raises(RefusedError, match=r"'big.bin' is a Git LFS pointer") as caught:
        bring(tracked, make_lock(tracked))
    assert "git lfs fetch" in caught.value.hint


def test_missing_content_is_fetched_by_git_lfs(bring: Bring, tracked: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--no-checkout", f"file://{tracked}", str(clone))
    assert not (clone / ".git/lfs/objects").exists()

    files = bring(clone, make_lock(clone))

    assert (files / "big.bin").read_bytes() == CONTENT


def test_damaged_content_is_refused(bring: Bring, tracked: Path) -> None:
    (stored,) = [p for p in (tracked / ".git/lfs/objects").rglob("*") if p.is_file()]
    stored.chmod(0o644)
    stored.write_bytes(b"x" * len(CONTENT))
    with pytest.raises(RefusedError, match="damaged"):
        bring(tracked, make_lock(tracked))


def test_another_storage(bring: Bring, tracked: Path) -> None:
    (tracked / ".git/lfs").rename(tracked / ".git/elsewhere")
    git(tracked, "config", "lfs.storage", "elsewhere")
    assert (bring(tracked, make_lock(tracked)) / "big.bin").read_bytes() == CONTENT


def test_a_pointer_without_attributes_is_replaced_unless_they_say_no(
    bring: Bring, tracked: Path
) -> None:
    pointer = git(tracked, "show", "HEAD:big.bin") + "\n"
    (tracked / "plain.txt").write_text(pointer)
    (tracked / "fixture.txt").write_text(pointer)
    (tracked / ".gitattributes").write_text("*.bin filter=lfs\nfixture.txt -filter\n")
    commit_all(tracked)

    files = bring(tracked, make_lock(tracked))

    assert (files / "plain.txt").read_bytes() == CONTENT
    assert (files / "fixture.txt").read_text() == pointer


def test_what_is_a_pointer() -> None:
    oid = "a" * 64
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12\n".encode()
    assert parse(text) == Pointer(oid, 12)
    extended = text.replace(b"oid", b"ext-0-gzip sha256:" + b"b" * 64 + b"\noid", 1)
    assert parse(extended) == Pointer(oid, 12, plain=False)
    for other in (text[:-20], b" " + text, text + b"x" * 1024, text.replace(b"sha256", b"sha1")):
        assert parse(other) is None
