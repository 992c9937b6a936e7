"""Contents that are awkward: right, or refused with a reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lockship.errors import RefusedError
from lockship.prepare.prepare import check, prepare
from tests.unit.gitrepo import Repo, clone, create
from tests.unit.prepare.test_dirty import forced, names_in, refused

LFS_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 3\n".format("a" * 64)


def test_symlinks_and_executables(repo: Repo) -> None:
    (repo.path / "link").symlink_to("/etc/passwd")
    repo.write("run.sh", "#!/bin/sh\n", executable=True)
    repo.commit("kinds")
    assert prepare(repo.path).lock.source.tree == repo.git("rev-parse", "HEAD^{tree}")
    (repo.path / "run.sh").chmod(0o644)
    (repo.path / "link").unlink()
    (repo.path / "link").symlink_to("elsewhere")
    lock = forced(repo)
    assert lock.source.changes == ("M link", "M run.sh")


def test_names_that_are_not_text(repo: Repo) -> None:
    repo.write(b"latin\xe9/new\nline", "x")
    repo.write(b"latin\xe9/.shiplock", "x")
    repo.write(b"latin\xe9/.gitattributes", "* -text\n")
    repo.commit("names")
    lock = prepare(repo.path).lock
    assert lock.source.tree != repo.git("rev-parse", "HEAD^{tree}")
    repo.write(b"latin\xe9/new\nline", "changed")
    repo.write(b'quo"te\\', "x")
    assert forced(repo).source.changes == (
        'M "latin\\351/new\\nline"',
        'A "quo\\"te\\\\"',
    )


def test_names_that_differ_in_case(repo: Repo) -> None:
    repo.write("Readme", "upper\n")
    repo.write("readme", "lower\n")
    repo.commit("case")
    repo.write("README", "all\n")
    assert names_in(repo, forced(repo).source.tree) >= {"Readme", "readme", "README"}


@pytest.mark.parametrize("value", ["true", "input", "false"])
def test_autocrlf_makes_no_other_lock(repo: Repo, tmp_path: Path, value: str) -> None:
    expected = prepare(repo.path).path.read_bytes()
    other = tmp_path / "other"
    repo.git("-c", f"core.autocrlf={value}", "clone", "--quiet", ".", str(other))
    Repo(other).git("config", "core.autocrlf", value)
    if value == "true":
        assert b"\r\n" in (other / "app.txt").read_bytes()
    assert prepare(other).path.read_bytes() == expected


def test_a_snapshot_has_the_line_endings_of_a_commit(repo: Repo) -> None:
    repo.write(".gitattributes", "*.txt text\n")
    repo.commit("attributes")
    repo.git("config", "core.safecrlf", "true")
    repo.write("new.txt", "a\r\nb\r\n")
    lock = forced(repo)
    assert repo.git("show", f"{lock.source.snapshot}:new.txt") == "a\nb"


class TestFilters:
    def test_lfs_pointers_are_known(self, repo: Repo) -> None:
        repo.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
        repo.write("data.bin", LFS_POINTER)
        repo.commit("lfs")
        assert prepare(repo.path).lock.source.commit == repo.head

    def test_another_filter_is_refused_by_path(self, repo: Repo) -> None:
        repo.write("deep/.gitattributes", "*.key filter=git-crypt diff=git-crypt\n")
        repo.write("deep/a.key", "x")
        repo.write("a.key", "x")
        repo.commit("crypt")
        error = refused(repo)
        assert "git-crypt" in error.message
        assert error.details == ("deep/a.key",)

    def test_an_attribute_that_no_path_has(self, repo: Repo) -> None:
        repo.write(".gitattributes", "*.key filter=git-crypt\n# filter\n*.txt -filter\n* !filter\n")
        repo.commit("unused")
        assert prepare(repo.path).changed

    def test_attributes_of_the_person_do_not_count(self, repo: Repo) -> None:
        repo.write(".gitattributes", "*.key filter=git-crypt\n")
        repo.commit("unused")
        expected = prepare(repo.path).lock
        repo.write(".git/info/attributes", "*.txt filter=mine\n")
        assert prepare(repo.path).lock == expected

    def test_attributes_of_a_snapshot_count(self, repo: Repo) -> None:
        repo.write(".gitattributes", "*.txt filter=git-crypt\n")
        for command in (lambda: prepare(repo.path, force=True), lambda: check(repo.path)):
            with pytest.raises(RefusedError, match="git-crypt"):
                command()


class TestSparse:
    @pytest.fixture
    def wide(self, repo: Repo) -> Repo:
        repo.write("in/file", "x")
        repo.write("out/file", "x")
        repo.commit("wide")
        return repo

    @pytest.mark.parametrize("words", [(), ("--sparse-index",)])
    def test_same_lock(self, wide: Repo, words: tuple[str, ...]) -> None:
        expected = prepare(wide.path).path.read_bytes()
        wide.git("sparse-checkout", "set", *words, "in")
        assert not (wide.path / "out").exists()
        assert not prepare(wide.path).changed
        assert (wide.path / ".shiplock").read_bytes() == expected

    @pytest.mark.parametrize("words", [(), ("--sparse-index",)])
    def test_snapshot(self, wide: Repo, words: tuple[str, ...]) -> None:
        wide.git("sparse-checkout", "set", *words, "in")
        wide.write("in/file", "changed")
        wide.write("out/new", "outside of the cone")
        lock = forced(wide)
        assert lock.source.changes == ("M in/file", "A out/new")
        assert names_in(wide, lock.source.tree) >= {"out/file", "out/new"}


class TestSubmodules:
    @pytest.fixture
    def outer(self, repo: Repo, tmp_path: Path) -> Repo:
        inner = create(tmp_path / "inner")
        repo.git(
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "add",
            "--quiet",
            str(inner.path),
            "lib",
        )
        repo.commit("submodule")
        return repo

    def test_clean(self, outer: Repo, tmp_path: Path) -> None:
        lock = prepare(outer.path).lock
        assert lock.source.tree == outer.git("rev-parse", "HEAD^{tree}")
        assert not check(outer.path).differences
        bare = clone(outer, tmp_path / "without")  # not even initialised
        assert prepare(bare.path).lock == lock

    def test_off_its_commit(self, outer: Repo) -> None:
        inner = Repo(outer.path / "lib")
        inner.write("more", "x")
        head = inner.commit("more")
        assert refused(outer).details == (" M lib",)
        lock = forced(outer)
        assert lock.source.changes == ("M lib",)
        assert head in outer.git("ls-tree", lock.source.tree, "lib")

    @pytest.mark.parametrize("ignore", ["none", "all"])
    def test_dirty_inside(self, outer: Repo, ignore: str) -> None:
        outer.git("config", "submodule.lib.ignore", ignore)
        (outer.path / "lib/app.txt").write_text("edited\n")
        assert refused(outer).details == (" M lib",)
        with pytest.raises(RefusedError, match="submodule has uncommitted") as caught:
            prepare(outer.path, force=True)
        assert caught.value.details == (" M lib",)

    def test_untracked_inside(self, outer: Repo) -> None:
        (outer.path / "lib/new").write_text("x")
        assert refused(outer).details == (" M lib",)

    def test_a_new_one_in_a_snapshot(self, repo: Repo, tmp_path: Path) -> None:
        inner = create(tmp_path / "inner")
        repo.git(
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "add",
            "--quiet",
            str(inner.path),
            "lib",
        )
        assert forced(repo).source.changes == ("A .gitmodules", "A lib")

    def test_inside_a_submodule(self, outer: Repo) -> None:
        inner = Repo(outer.path / "lib")
        assert prepare(inner.path).path == inner.path / ".shiplock"


def test_odd_commits(repo: Repo) -> None:
    message = "\n\n  first\tline \x1b[31m\n  goes on\n\nbody\n"
    repo.git("commit", "--quiet", "--amend", "--cleanup=verbatim", "--message", message)
    assert prepare(repo.path).lock.source.subject == "first line [31m goes on"
    repo.git(
        "-c",
        "i18n.commitEncoding=latin1",
        "commit",
        "--quiet",
        "--amend",
        "--message",
        b"gr\xf6\xdfe",
    )
    assert prepare(repo.path).lock.source.subject == "größe"
    repo.git("commit", "--quiet", "--amend", "--allow-empty-message", "--message", "")
    assert prepare(repo.path).lock.source.subject == ""
    repo.git(
        "commit",
        "--quiet",
        "--amend",
        "--message",
        "x",
        "--date",
        "@1 +0000",
        GIT_COMMITTER_DATE="@1 -1130",
    )
    assert prepare(repo.path).lock.source.committed_at == "1969-12-31T12:30:01-11:30"


def test_paths_with_odd_names(tmp_path: Path) -> None:
    repo = create(tmp_path / os.fsdecode(b"a b'\"; $(x) :\xe9"))
    repo.write("new", "x")
    lock = forced(repo)
    assert not check(repo.path).differences
    assert lock.source.changes == ("A new",)
