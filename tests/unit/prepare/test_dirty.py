"""A dirty tree: refused with what is dirty, or locked as a snapshot that touches nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lockship.errors import RefusedError, UsageError
from lockship.lock.model import Lock
from lockship.prepare.prepare import check, prepare
from tests.unit.gitrepo import CONFIG, Repo, clone, create


def forced(repo: Repo) -> Lock:
    """Prepare with --force; nothing of the person's may change by it."""
    before = repo.state()
    lock = prepare(repo.path, force=True).lock
    assert repo.state() == before
    return lock


def refused(repo: Repo) -> RefusedError:
    """Prepare without --force must be refused, and change nothing."""
    before = repo.state()
    with pytest.raises(RefusedError) as caught:
        prepare(repo.path)
    assert repo.state() == before
    return caught.value


def names_in(repo: Repo, tree: str) -> set[str]:
    return set(repo.git("ls-tree", "-r", "-z", "--name-only", tree).strip("\0").split("\0"))


class TestRefusal:
    def test_every_kind_of_change_is_listed(self, repo: Repo) -> None:
        repo.write("app.txt", "modified\n")
        repo.write("staged.txt", "staged\n")
        repo.git("add", "staged.txt")
        repo.write("new.txt", "new\n")
        repo.git("rm", "--quiet", "--cached", "Dockerfile")
        error = refused(repo)
        assert error.exit_status == 3
        assert "5 paths differ" in error.message
        assert set(error.details) >= {" M app.txt", "A  staged.txt", "?? new.txt", "D  Dockerfile"}
        assert all(way in error.hint for way in ("Commit", "stash", "ignore", "--force"))

    def test_the_first_twenty_and_how_many_more(self, repo: Repo) -> None:
        for number in range(25):
            repo.write(f"new{number:02}.txt", "x")
        error = refused(repo)
        assert len(error.details) == 21
        assert error.details[-1] == "... and 5 more"

    def test_names_are_quoted(self, repo: Repo) -> None:
        repo.write(b"line\nbreak\x1b[31m", "x")
        repo.write(b"latin\xe9", "x")
        repo.write("größe", "x")
        assert set(refused(repo).details) == {
            '?? "latin\\351"',
            '?? "line\\nbreak\\033[31m"',
            "?? größe",
        }

    def test_untracked_files_hidden_by_configuration_count(self, repo: Repo) -> None:
        repo.git("config", "status.showUntrackedFiles", "no")
        repo.write("new.txt", "x")
        assert refused(repo).details == ("?? new.txt",)

    def test_ignored_files_do_not_count(self, repo: Repo) -> None:
        repo.write(".gitignore", "*.log\n")
        repo.commit("ignore")
        repo.write("a.log", "x")
        assert not prepare(repo.path).lock.source.dirty

    def test_a_changed_mode_counts(self, repo: Repo) -> None:
        (repo.path / "app.txt").chmod(0o755)
        assert refused(repo).details == (" M app.txt",)
        lock = forced(repo)
        assert lock.source.changes == ("M app.txt",)

    def test_the_lock_itself_is_set_aside(self, repo: Repo) -> None:
        prepare(repo.path)
        repo.commit("lock")
        repo.write("app.txt", "two\n")
        repo.commit("work")
        prepare(repo.path)  # now .shiplock is modified
        assert not prepare(repo.path).changed
        repo.git("add", ".shiplock")
        assert not prepare(repo.path).changed
        repo.git("rm", "--quiet", "--cached", "--force", ".shiplock")
        assert not prepare(repo.path).changed

    def test_a_lock_that_became_a_symlink_is_content(self, repo: Repo) -> None:
        repo.write("sub/.shiplock", "x")
        repo.commit("a lock")
        (repo.path / "sub/.shiplock").unlink()
        (repo.path / "sub/.shiplock").symlink_to("../app.txt")
        assert refused(repo).details == (" T sub/.shiplock",)


class TestUnderway:
    @pytest.fixture
    def split(self, repo: Repo) -> Repo:
        """Two branches that are in conflict."""
        repo.git("switch", "--quiet", "--create", "side")
        repo.write("app.txt", "side\n")
        repo.commit("side")
        repo.git("switch", "--quiet", "main")
        repo.write("app.txt", "main\n")
        repo.commit("main")
        repo.write("app.txt", "more\n")
        repo.commit("more")
        return repo

    @pytest.mark.parametrize(
        ("words", "what"),
        [
            (("merge", "side"), "a merge"),
            (("rebase", "side"), "a rebase"),
            (("rebase", "--apply", "side"), "a rebase"),
            (("cherry-pick", "side"), "a cherry-pick"),
            (("revert", "HEAD~1"), "a revert"),
        ],
    )
    def test_refused_by_name(self, split: Repo, words: tuple[str, ...], what: str) -> None:
        split.git(*words, ok=False)
        error = refused(split)
        assert what in error.message
        assert "--force" in error.hint
        assert forced(split).source.dirty

    def test_a_bisect_with_a_clean_tree(self, split: Repo) -> None:
        split.git("bisect", "start", "HEAD", "HEAD~1")
        assert "a bisect" in refused(split).message
        assert not forced(split).source.dirty

    def test_a_merge_in_a_linked_worktree_is_its_own(self, split: Repo, tmp_path: Path) -> None:
        split.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
        linked = Repo(tmp_path / "linked")
        linked.git("merge", "side", ok=False)
        assert "a merge" in refused(linked).message
        assert prepare(split.path).changed


class TestSnapshot:
    def test_it_holds_the_dirty_state(self, repo: Repo) -> None:
        repo.write("app.txt", "modified\n")
        repo.write("new/file.txt", "new\n")
        (repo.path / "Dockerfile").write_text("FROM scratch\n")
        repo.git("add", "Dockerfile")
        lock = forced(repo)
        source = lock.source
        assert source.dirty
        assert source.commit == repo.head
        assert source.changes == ("M Dockerfile", "M app.txt", "A new/file.txt")
        version = f"{repo.head[:12]}-dirty-{source.tree[:12]}"
        assert lock.service.version == version
        assert repo.git("rev-parse", f"refs/lockship/snapshots/{version}") == source.snapshot
        assert repo.git("rev-parse", f"{source.snapshot}^{{tree}}") == source.tree
        assert repo.git("show", f"{source.snapshot}:app.txt") == "modified"
        raw = repo.git("cat-file", "commit", str(source.snapshot))
        assert raw.splitlines() == [
            f"tree {source.tree}",
            f"parent {repo.head}",
            "author lockship <lockship@localhost> 1700000000 +0100",
            "committer lockship <lockship@localhost> 1700000000 +0100",
            "",
            f"lockship snapshot {version}",
        ]

    def test_the_same_content_gives_the_same_bytes(self, repo: Repo, tmp_path: Path) -> None:
        other = clone(repo, tmp_path / "elsewhere")
        for each in (repo, other):
            each.write("app.txt", "modified\n")
            each.write("new.txt", "new\n")
        other.git("add", "new.txt")  # staged or not isn't content
        assert forced(repo) == forced(other)
        data = [(each.path / ".shiplock").read_bytes() for each in (repo, other)]
        assert data[0] == data[1]
        assert not prepare(repo.path, force=True).changed
        assert not check(repo.path).differences

    def test_gc_keeps_it(self, repo: Repo) -> None:
        repo.write("app.txt", "modified\n")
        snapshot = forced(repo).source.snapshot
        repo.git("checkout", "--quiet", "--", "app.txt")
        repo.git("reflog", "expire", "--expire=now", "--all")
        repo.git("gc", "--quiet", "--prune=now")
        assert repo.git("show", f"{snapshot}:app.txt") == "modified"

    def test_locks_are_not_in_it(self, repo: Repo) -> None:
        repo.write("locks/.shiplock.staging", "x")
        repo.write("new.txt", "x")
        lock = forced(repo)
        assert lock.source.changes == ("A new.txt",)
        assert names_in(repo, lock.source.tree) == {
            "Dockerfile",
            "app.txt",
            "lockship.toml",
            "new.txt",
        }

    def test_its_own_configuration_counts(self, repo: Repo) -> None:
        repo.write("lockship.toml", CONFIG.replace("shop", "kiosk"))
        assert forced(repo).service.name == "kiosk"

    def test_a_change_that_is_none(self, repo: Repo) -> None:
        """Staged one way and put back in the working tree: dirty for git, the same content."""
        repo.write("app.txt", "other\n")
        repo.git("add", "app.txt")
        repo.write("app.txt", "one\n")
        refused(repo)
        clean = forced(repo)
        assert not clean.source.dirty
        assert clean.service.version == repo.head[:12]

    def test_an_edit_in_the_same_instant_as_the_index(self, repo: Repo) -> None:
        """Same size, same time: only the index's own time tells git to compare the content."""
        instant = (1_700_000_000_000_000_000, 1_700_000_000_000_000_000)
        path = repo.path / "app.txt"
        repo.git("config", "core.trustctime", "false")
        path.write_text("two\n")
        os.utime(path, ns=instant)
        repo.commit("two")
        path.write_text("new\n")
        os.utime(path, ns=instant)
        os.utime(repo.path / ".git/index", ns=instant)
        lock = forced(repo)
        assert repo.git("show", f"{lock.source.snapshot}:app.txt") == "new"

    def test_deleted_and_changed_kinds(self, repo: Repo) -> None:
        (repo.path / "app.txt").unlink()
        (repo.path / "app.txt").symlink_to("/etc/passwd")
        repo.write("gone.txt", "x")
        repo.commit("more")
        (repo.path / "gone.txt").unlink()
        (repo.path / "app.txt").unlink()
        repo.write("app.txt", "file again")
        assert forced(repo).source.changes == ("T app.txt", "D gone.txt")

    def test_a_long_list_of_changes_is_cut(self, repo: Repo) -> None:
        for number in range(1005):
            repo.write(f"many/{number:04}", "x")
        changes = forced(repo).source.changes
        assert len(changes) == 1001
        assert changes[-1] == "... and 5 more"

    def test_long_names_make_no_lock_that_is_too_long_to_read(self, repo: Repo) -> None:
        for number in range(600):
            repo.write(f"{'x' * 200}/{number}", "x")
        changes = forced(repo).source.changes
        assert sum(map(len, changes)) < 101_000
        assert changes[-1].endswith(" more")

    def test_no_hook_runs(self, repo: Repo) -> None:
        for name in ("post-index-change", "pre-commit", "reference-transaction", "post-commit"):
            repo.write(f".git/hooks/{name}", "#!/bin/sh\ntouch ran\n", executable=True)
        repo.write("new.txt", "x")
        (repo.path / "ran").unlink(missing_ok=True)
        prepare(repo.path, force=True)
        assert not (repo.path / "ran").exists()

    def test_a_release_of_it(self, repo: Repo) -> None:
        repo.write("app.txt", "modified\n")
        lock = prepare(repo.path, force=True, version="v1..2").lock
        assert lock.service.version == "v1..2"
        assert lock.source.dirty
        derived = f"{repo.head[:12]}-dirty-{lock.source.tree[:12]}"
        assert repo.git("rev-parse", f"refs/lockship/snapshots/{derived}") == lock.source.snapshot
        assert not prepare(repo.path, force=True).changed

    def test_a_file_that_nobody_can_read(self, repo: Repo) -> None:
        if os.getuid() == 0:
            path = repo.path / "nested"  # root reads everything: a repository without commits then
            Repo(path.parent).git("init", "--quiet", "nested")
        else:
            repo.write("secret", "x").chmod(0)
        before = repo.state()
        with pytest.raises(RefusedError, match="can't add everything") as caught:
            prepare(repo.path, force=True)
        assert caught.value.details
        assert repo.state() == before

    def test_a_repository_inside_that_is_no_submodule(self, repo: Repo) -> None:
        create(repo.path / "vendor/lib")
        with pytest.raises(RefusedError, match="not a submodule") as caught:
            prepare(repo.path, force=True)
        assert caught.value.details == ("vendor/lib",)

    def test_with_a_split_index(self, repo: Repo) -> None:
        repo.git("update-index", "--split-index")
        repo.write("app.txt", "modified\n")
        before = sorted(path.name for path in (repo.path / ".git").glob("sharedindex*"))
        assert forced(repo).source.changes == ("M app.txt",)
        assert sorted(path.name for path in (repo.path / ".git").glob("sharedindex*")) == before

    def test_from_a_subfolder(self, repo: Repo) -> None:
        repo.write("deep/er/file", "x")
        repo.write("app.txt", "modified\n")
        lock = prepare(repo.path / "deep", force=True).lock
        assert lock.source.changes == ("M app.txt", "A deep/er/file")


def test_a_broken_configuration_in_the_snapshot(repo: Repo) -> None:
    repo.write("lockship.toml", "[service]\n")
    with pytest.raises(UsageError, match="2 problems"):
        prepare(repo.path, force=True)
    assert not repo.git("for-each-ref", "refs/lockship")
