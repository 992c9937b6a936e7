"""`prepare` and `check` on real repositories: same content, same bytes, and nothing touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lockship.errors import RefusedError, UsageError
from lockship.lock import reader
from lockship.prepare.prepare import check, prepare
from tests.unit.gitrepo import CONFIG, Repo, clone, create


def lock_bytes(repo: Repo) -> bytes:
    """Prepare in `repo` as if no lock were there, and return the lock's bytes."""
    path = repo.path / ".shiplock"
    path.unlink(missing_ok=True)
    prepare(repo.path)
    return path.read_bytes()


def test_a_clean_commit_is_locked(repo: Repo) -> None:
    prepared = prepare(repo.path)
    assert prepared.changed
    assert prepared.before is None
    assert prepared.path == repo.path / ".shiplock"
    assert prepared.lock == reader.read(prepared.path)
    source = prepared.lock.source
    assert source.commit == repo.head
    assert source.tree == repo.git("rev-parse", "HEAD^{tree}")
    assert (source.subject, source.author) == ("first", "Ada Shipper <ada@example.com>")
    assert source.committed_at == "2023-11-14T23:13:20+01:00"
    assert prepared.lock.service.version == prepared.lock.image.tag == repo.head[:12]
    assert not source.dirty


def test_again_changes_nothing(repo: Repo) -> None:
    first = prepare(repo.path)
    data, time = first.path.read_bytes(), first.path.stat().st_mtime_ns
    second = prepare(repo.path)
    assert not second.changed
    assert not second.differences
    assert (first.path.read_bytes(), first.path.stat().st_mtime_ns) == (data, time)


def test_committing_the_lock_keeps_it_fresh(repo: Repo) -> None:
    before = prepare(repo.path).path.read_bytes()
    repo.commit("lock")
    assert not prepare(repo.path).changed
    assert not check(repo.path).differences
    assert lock_bytes(repo) == before


def test_an_empty_commit_keeps_it_fresh(repo: Repo) -> None:
    prepare(repo.path)
    repo.commit("lock")
    repo.commit("nothing", "--allow-empty")
    assert not check(repo.path).differences


def test_a_lock_in_a_folder_is_no_content_either(repo: Repo) -> None:
    expected = prepare(repo.path).lock
    repo.write("services/api/.shiplock.staging", "x")
    repo.commit("other lock")
    assert prepare(repo.path).lock == expected


def test_a_folder_of_locks_only_is_clean_while_untracked(repo: Repo) -> None:
    expected = prepare(repo.path).lock
    repo.write("services/api/.shiplock", "x")
    assert prepare(repo.path).lock == expected


def test_what_only_looks_like_a_lock_is_content(repo: Repo) -> None:
    before = prepare(repo.path).lock.source
    repo.path.joinpath(".shiplock.link").symlink_to("app.txt")
    repo.commit("a symlink with a lock's name")
    after = prepare(repo.path).lock.source
    assert after.commit == repo.head
    assert after.tree != before.tree
    repo.write(".shiplock.link2/app", "x")
    repo.commit("a folder with a lock's name")
    assert prepare(repo.path).lock.source.commit == repo.head


def test_content_makes_it_stale(repo: Repo) -> None:
    prepare(repo.path)
    repo.write("app.txt", "two\n")
    repo.commit("work")
    found = {difference.field for difference in check(repo.path).differences}
    assert found >= {"source.commit", "source.tree", "service.version", "image.tag"}


def test_amending_a_message_makes_another_source(repo: Repo) -> None:
    before = prepare(repo.path).lock.source
    repo.git("commit", "--quiet", "--amend", "--message", "said better")
    after = prepare(repo.path).lock.source
    assert after.tree == before.tree
    assert after.commit == repo.head != before.commit


def test_amending_the_commit_of_a_lock_keeps_it_fresh(repo: Repo) -> None:
    prepare(repo.path)
    repo.commit("lock")
    repo.git("commit", "--quiet", "--amend", "--message", "said better")
    assert not check(repo.path).differences


def test_a_rebase_of_the_lock_onto_the_same_content_keeps_it_fresh(repo: Repo) -> None:
    prepare(repo.path)
    repo.commit("lock")
    repo.git("rebase", "--quiet", "--force-rebase", "HEAD~1")
    assert not check(repo.path).differences


def test_a_merge_is_compared_with_its_first_parent(repo: Repo) -> None:
    repo.git("switch", "--quiet", "--create", "side")
    repo.write("side.txt", "x")
    repo.commit("side")
    repo.git("switch", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "--message", "merge", "side")
    assert prepare(repo.path).lock.source.commit == repo.head
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    repo.git("merge", "--quiet", "--no-ff", "--strategy=ours", "--message", "merge", "side")
    assert prepare(repo.path).lock.source.commit == repo.git("rev-parse", "HEAD^1")


def test_a_root_commit_of_an_orphan_branch(repo: Repo) -> None:
    repo.git("switch", "--quiet", "--orphan", "lone")
    repo.write("lockship.toml", CONFIG)
    repo.write("Dockerfile", "FROM scratch\n")
    repo.commit("lone")
    assert prepare(repo.path).lock.source.commit == repo.head


class TestSameContentSameBytes:
    def test_from_a_fresh_clone(self, repo: Repo, tmp_path: Path) -> None:
        assert lock_bytes(clone(repo, tmp_path / "other")) == lock_bytes(repo)

    def test_from_a_linked_worktree(self, repo: Repo, tmp_path: Path) -> None:
        expected = lock_bytes(repo)
        repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
        assert lock_bytes(Repo(tmp_path / "linked")) == expected

    def test_with_a_detached_head(self, repo: Repo) -> None:
        expected = lock_bytes(repo)
        repo.git("switch", "--quiet", "--detach")
        assert lock_bytes(repo) == expected

    @pytest.mark.parametrize("depth", [1, 2])
    def test_from_a_shallow_clone_that_has_the_commit(
        self, repo: Repo, tmp_path: Path, depth: int
    ) -> None:
        lock_bytes(repo)
        repo.commit("lock")
        repo.write("app.txt", "two\n")
        repo.commit("second")
        repo.write("app.txt", "three\n")
        repo.commit("third")
        assert lock_bytes(clone(repo, tmp_path / "other", f"--depth={depth}")) == lock_bytes(repo)

    def test_from_a_partial_clone(self, repo: Repo, tmp_path: Path) -> None:
        repo.git("config", "uploadpack.allowFilter", "true")
        repo.write("deep/er/file", "x")
        repo.commit("second")
        other = clone(repo, tmp_path / "other", "--filter=tree:0")
        prepare(repo.path)
        expected = (repo.path / ".shiplock").read_bytes()
        (other.path / ".shiplock").write_bytes(expected)
        assert not check(other.path).differences
        assert lock_bytes(other) == expected

    def test_from_a_subfolder(self, repo: Repo) -> None:
        expected = lock_bytes(repo)
        folder = repo.path / "deep"
        folder.mkdir()
        (repo.path / ".shiplock").unlink()
        assert prepare(folder).path.read_bytes() == expected

    def test_in_another_time_zone_and_environment(
        self, repo: Repo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = lock_bytes(repo)
        values = {"TZ": "Pacific/Kiritimati", "VERSION": "x", "LANG": "de_DE.UTF-8", "LC_ALL": "tr"}
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        assert lock_bytes(repo) == expected

    def test_inside_another_git_command(
        self, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = lock_bytes(repo)
        other = create(tmp_path / "outer")
        monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
        monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
        monkeypatch.setenv("GIT_INDEX_FILE", str(other.path / ".git/index"))
        monkeypatch.setenv("GIT_PREFIX", "deep/")
        monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.path / ".git/objects"))
        # The test's own git runs in the outer repository now, so the lock is written by hand.
        (repo.path / ".shiplock").unlink()
        assert prepare(repo.path).path.read_bytes() == expected

    def test_with_another_configuration_of_git(self, repo: Repo) -> None:
        repo.write("app.txt", "two\n")
        repo.commit("second")
        expected = lock_bytes(repo)
        for name, value in {
            "status.showUntrackedFiles": "no",
            "diff.noprefix": "true",
            "diff.renames": "copies",
            "core.quotePath": "false",
            "i18n.logOutputEncoding": "latin1",
            "i18n.commitEncoding": "latin1",
            "color.ui": "always",
            "log.showSignature": "true",
            "core.abbrev": "4",
            "core.splitIndex": "true",
        }.items():
            repo.git("config", name, value)
        assert lock_bytes(repo) == expected

    def test_with_a_replace_ref(self, repo: Repo) -> None:
        expected = lock_bytes(repo)
        other = repo.git("commit-tree", "-m", "other", "HEAD^{tree}")
        repo.git("replace", repo.head, other)
        assert lock_bytes(repo) == expected

    def test_another_users_umask(self, repo: Repo) -> None:
        expected = lock_bytes(repo)
        old = os.umask(0o077)
        try:
            assert lock_bytes(repo) == expected
        finally:
            os.umask(old)


class TestRefused:
    def test_no_repository(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="not a git repository"):
            prepare(tmp_path)

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no folder"):
            prepare(tmp_path / "none")

    def test_no_commit(self, tmp_path: Path) -> None:
        Repo(tmp_path).git("init", "--quiet")
        with pytest.raises(RefusedError, match="no commit yet"):
            prepare(tmp_path, force=True)

    def test_bare(self, repo: Repo, tmp_path: Path) -> None:
        repo.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
        with pytest.raises(RefusedError, match="bare"):
            prepare(tmp_path / "bare", force=True)

    def test_inside_the_git_folder(self, repo: Repo) -> None:
        with pytest.raises(RefusedError, match="no working tree"):
            prepare(repo.path / ".git")

    def test_a_shallow_clone_that_ends_at_the_commit_of_a_lock(
        self, repo: Repo, tmp_path: Path
    ) -> None:
        repo.write("app.txt", "two\n")
        repo.commit("second")
        expected = lock_bytes(repo)
        repo.commit("lock")
        other = clone(repo, tmp_path / "other", "--depth=1")
        with pytest.raises(RefusedError, match="shallow") as caught:
            prepare(other.path)
        assert "--deepen=1" in caught.value.hint
        other.git("fetch", "--quiet", "--deepen=1")
        assert lock_bytes(other) == expected

    def test_sha256(self, tmp_path: Path) -> None:
        repo = Repo(tmp_path)
        repo.git("init", "--quiet", "--object-format=sha256")
        with pytest.raises(RefusedError, match="sha256"):
            prepare(tmp_path)

    def test_a_format_that_git_does_not_know(self, repo: Repo) -> None:
        repo.git("config", "core.repositoryFormatVersion", "1")
        repo.git("config", "extensions.fromTheFuture", "true")
        with pytest.raises(RefusedError, match="format") as caught:
            prepare(repo.path)
        assert any("fromthefuture" in line for line in caught.value.details)

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
    def test_a_repository_of_another_user(self, repo: Repo) -> None:
        os.chown(repo.path, 12345, 12345)
        os.chown(repo.path / ".git", 12345, 12345)
        with pytest.raises(RefusedError, match="another user") as caught:
            prepare(repo.path)
        assert "safe.directory" in caught.value.hint
        assert str(repo.path) in caught.value.hint

    def test_no_configuration(self, repo: Repo) -> None:
        (repo.path / "lockship.toml").unlink()
        repo.commit("without")
        with pytest.raises(UsageError, match=r"lockship\.toml is not in what is locked") as caught:
            prepare(repo.path)
        assert "lockship init" in caught.value.hint

    def test_an_ignored_configuration(self, repo: Repo) -> None:
        repo.git("rm", "--quiet", "--cached", "lockship.toml")
        repo.write(".gitignore", "lockship.toml\n")
        repo.commit("ignored")
        with pytest.raises(UsageError, match="not in what is locked"):
            prepare(repo.path)

    def test_a_configuration_that_is_a_symlink(self, repo: Repo) -> None:
        (repo.path / "lockship.toml").unlink()
        (repo.path / "lockship.toml").symlink_to("/etc/passwd")
        repo.commit("link")
        with pytest.raises(UsageError, match="not a regular file"):
            prepare(repo.path)

    def test_no_dockerfile(self, repo: Repo) -> None:
        (repo.path / "Dockerfile").unlink()
        repo.commit("without")
        with pytest.raises(UsageError, match="no Dockerfile"):
            prepare(repo.path)

    def test_a_lock_that_is_a_symlink(self, repo: Repo, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        outside.write_text("precious")
        (repo.path / ".shiplock").symlink_to(outside)
        repo.commit("link")
        with pytest.raises(RefusedError, match="not a regular file"):
            prepare(repo.path, force=True)
        assert outside.read_text() == "precious"

    def test_a_lock_that_is_a_dangling_symlink(self, repo: Repo, tmp_path: Path) -> None:
        (repo.path / ".shiplock").symlink_to(tmp_path / "outside")
        repo.commit("link")
        with pytest.raises(RefusedError, match="not a regular file"):
            prepare(repo.path)
        assert not (tmp_path / "outside").exists()


class TestPreviousLock:
    def test_a_damaged_one_is_replaced_and_said(self, repo: Repo) -> None:
        path = prepare(repo.path).path
        good = path.read_bytes()
        path.write_bytes(good.replace(b'"first"', b'"worst"'))
        assert check(repo.path).differences
        again = prepare(repo.path)
        assert again.before is None
        assert "edited by hand" in again.notes[0]
        assert path.read_bytes() == good

    def test_a_newer_one_is_refused(self, repo: Repo) -> None:
        path = repo.write(".shiplock", "lock-version = 99\n")
        for command in (prepare, check):
            with pytest.raises(RefusedError, match="lock-version 99"):
                command(repo.path)
        assert path.read_text() == "lock-version = 99\n"

    def test_another_destinations_one_does_not_count(self, repo: Repo) -> None:
        repo.write("lockship.staging.toml", "")
        repo.commit("staging")
        prepare(repo.path)
        staging = prepare(repo.path, destination="staging").path
        (repo.path / ".shiplock").write_bytes(staging.read_bytes())
        assert "was the lock of staging" in prepare(repo.path).notes[0]


class TestReleases:
    def test_a_name_sticks_to_its_content(self, repo: Repo) -> None:
        named = prepare(repo.path, version="v1.2").lock
        assert named.service.version == named.image.tag == "v1.2"
        assert named.source.release
        assert not prepare(repo.path).changed
        assert not check(repo.path).differences
        repo.commit("lock")
        assert not prepare(repo.path).changed

    def test_a_name_is_dropped_with_other_content(self, repo: Repo) -> None:
        prepare(repo.path, version="v1.2")
        repo.write("app.txt", "two\n")
        repo.commit("work")
        prepared = prepare(repo.path)
        assert prepared.lock.service.version == repo.head[:12]
        assert not prepared.lock.source.release
        assert "v1.2" in prepared.notes[0]

    def test_a_name_that_is_no_tag(self, repo: Repo) -> None:
        for name in ("", "-x", "a b", "a/b", "x" * 129, "ü"):
            with pytest.raises(UsageError, match="can't be a version"):
                prepare(repo.path, version=name)
        assert not (repo.path / ".shiplock").exists()


class TestDestinations:
    def test_its_file_is_laid_over(self, repo: Repo) -> None:
        repo.write("lockship.staging.toml", '[env]\nA = "b"\n')
        repo.commit("staging")
        prepared = prepare(repo.path, destination="staging")
        assert prepared.path.name == ".shiplock.staging"
        assert prepared.lock.service.destination == "staging"
        assert prepared.lock.env == {"A": "b"}
        assert not check(repo.path, destination="staging").differences

    def test_without_a_file(self, repo: Repo) -> None:
        repo.write("lockship.staging.toml", "")
        repo.commit("staging")
        with pytest.raises(UsageError, match=r"lockship\.prod\.toml") as caught:
            prepare(repo.path, destination="prod")
        assert caught.value.hint == "Destinations here: staging."

    def test_a_name_that_leads_out(self, repo: Repo) -> None:
        for name in ("../x", "", "a/b", "A", "."):
            with pytest.raises(UsageError, match="can't be a destination"):
                prepare(repo.path, destination=name)


def test_check_writes_nothing_at_all(repo: Repo) -> None:
    prepare(repo.path)
    repo.commit("lock")
    repo.write("app.txt", "edited\n")
    repo.write("new.txt", "new\n")
    before = repo.state(), sorted((repo.path / ".git").rglob("*"))
    assert check(repo.path).differences
    assert (repo.state(), sorted((repo.path / ".git").rglob("*"))) == before


def test_check_without_a_lock_is_stale(repo: Repo) -> None:
    assert check(repo.path).differences
    assert not (repo.path / ".shiplock").exists()
