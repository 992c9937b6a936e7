"""Running git, finding a repository, reading objects; and what git's objects say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockship.errors import LockshipError, RefusedError, UsageError
from lockship.git import MissingObjectError, Repository, environment, run
from lockship.gitobjects import (
    commit,
    content_tree,
    entries,
    find_entry,
    hash_object,
    quoted,
    rfc3339,
    same_content,
)
from tests.unit.gitrepo import Repo, clone, create


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return create(tmp_path / "shop")


class TestEnvironment:
    def test_what_belongs_to_an_outer_git_goes(self, repo: Repo) -> None:
        local = repo.git("rev-parse", "--local-env-vars").split()
        outer = dict.fromkeys([*local, "GIT_NAMESPACE", "GIT_EXTERNAL_DIFF", "PATH", "HOME"], "x")
        kept = environment(outer)
        gone = set(local) - {"GIT_CONFIG_COUNT", "GIT_NO_REPLACE_OBJECTS"}
        assert not gone & set(kept)
        assert kept["PATH"] == kept["HOME"] == "x"

    def test_what_is_the_persons_stays(self) -> None:
        names = ("GIT_CONFIG_GLOBAL", "GIT_SSH_COMMAND", "GIT_CONFIG_KEY_0", "GIT_ASKPASS")
        assert set(names) <= set(environment(dict.fromkeys(names, "x")))

    def test_messages_and_locks(self) -> None:
        found = environment({"LC_ALL": "de_DE.UTF-8", "GIT_OPTIONAL_LOCKS": "1"})
        assert found["LC_ALL"] == "C"
        assert found["GIT_OPTIONAL_LOCKS"] == "0"


class TestDiscover:
    def test_from_a_subfolder(self, repo: Repo) -> None:
        (repo.path / "a/b").mkdir(parents=True)
        found = Repository.discover(repo.path / "a/b")
        assert found.root == repo.path
        assert found.git_dir == found.common_dir == repo.path / ".git"
        assert not found.shallow

    def test_a_linked_worktree(self, repo: Repo, tmp_path: Path) -> None:
        repo.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
        found = Repository.discover(tmp_path / "linked")
        assert found.root == tmp_path / "linked"
        assert found.git_dir == repo.path / ".git/worktrees/linked"
        assert found.common_dir == repo.path / ".git"

    def test_a_shallow_clone(self, repo: Repo, tmp_path: Path) -> None:
        repo.write("more", "x")
        repo.commit("more")
        clone(repo, tmp_path / "shallow", "--depth=1")
        assert Repository.discover(tmp_path / "shallow").shallow

    def test_a_line_break_in_the_path(self, tmp_path: Path) -> None:
        repo = create(tmp_path / "two\nlines")
        with pytest.raises(RefusedError, match="line break"):
            Repository.discover(repo.path)

    def test_without_git(self, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(UsageError, match="git can't be run"):
            Repository.discover(repo.path)


def test_a_failure_says_what_git_said(repo: Repo) -> None:
    with pytest.raises(LockshipError, match="`git show` failed with exit status 128") as caught:
        run(repo.path, "show", "--quiet", "nothing")
    assert "nothing" in caught.value.details[0]
    assert run(repo.path, "config", "--get", "no.thing", ok=(0, 1)) == b""


class TestObjects:
    def test_reading(self, repo: Repo) -> None:
        with Repository.discover(repo.path).objects() as objects:
            found = objects.find("HEAD")
            assert found is not None
            assert found[:2] == (repo.head, "commit")
            blob = repo.git("rev-parse", "HEAD:app.txt")
            assert objects.read(blob) == b"one\n"
            assert hash_object("blob", b"one\n") == blob
            assert objects.find("0" * 40) is None
            with pytest.raises(MissingObjectError, match="is not in this repository"):
                objects.read("0" * 40)
            assert objects.read(blob) == b"one\n"

    def test_empty_and_odd_data(self, repo: Repo) -> None:
        data = {"empty": b"", "lines": b"\n\n", "zeros": b"\0 missing\n"}
        for name, content in data.items():
            repo.write(name, content)
        repo.commit("data")
        with Repository.discover(repo.path).objects() as objects:
            for name, content in data.items():
                assert objects.read(repo.git("rev-parse", f"HEAD:{name}")) == content

    def test_a_partial_clone_fetches(self, repo: Repo, tmp_path: Path) -> None:
        repo.git("config", "uploadpack.allowFilter", "true")
        blob = repo.git("rev-parse", "HEAD:app.txt")
        other = clone(repo, tmp_path / "other", "--filter=blob:none", "--no-checkout")
        assert "?" + blob in other.git("rev-list", "--objects", "--missing=print", "HEAD")
        with Repository.discover(other.path).objects() as objects:
            assert objects.read(blob) == b"one\n"

    def test_a_partial_clone_whose_remote_is_gone(self, repo: Repo, tmp_path: Path) -> None:
        repo.git("config", "uploadpack.allowFilter", "true")
        blob = repo.git("rev-parse", "HEAD:app.txt")
        other = clone(repo, tmp_path / "other", "--filter=blob:none", "--no-checkout")
        repo.path.rename(tmp_path / "gone")
        with (
            pytest.raises(LockshipError),
            Repository.discover(other.path).objects() as objects,
        ):
            objects.read(blob)

    def test_a_damaged_object(self, repo: Repo) -> None:
        blob = repo.git("rev-parse", "HEAD:app.txt")
        path = repo.path / ".git/objects" / blob[:2] / blob[2:]
        path.chmod(0o644)
        path.write_bytes(b"damage")
        with (
            pytest.raises(LockshipError),
            Repository.discover(repo.path).objects() as objects,
        ):
            objects.read(blob)


def test_entries_and_finding(repo: Repo) -> None:
    repo.write(b"deep/\xe9\n", "x", executable=True)
    repo.commit("more")
    with Repository.discover(repo.path).objects() as objects:
        tree = repo.git("rev-parse", "HEAD^{tree}")
        listed = [(f"{e.mode:06o}", e.id, os.fsdecode(e.name)) for e in entries(objects.read(tree))]
        lines = repo.git("ls-tree", "-z", tree).strip("\0").split("\0")
        assert listed == [
            (mode, oid, name)
            for line in lines
            for (mode, _, oid), name in [(line.split("\t")[0].split(), line.split("\t")[1])]
        ]
        found = find_entry(objects.read, tree, b"deep/\xe9\n")
        assert found is not None
        assert found.mode == 0o100755
        assert find_entry(objects.read, tree, b"deep/none") is None
        assert find_entry(objects.read, tree, b"app.txt/none") is None


def test_content_trees_are_gits_own(repo: Repo) -> None:
    """The computed id is what git itself writes once the lockfiles are removed."""
    tree = repo.git("rev-parse", "HEAD^{tree}")
    names = [".shiplock", "a/.shiplock.staging", "a/b/.shiplock", "only/deep/.shiplock"]
    for name in (*names, "a/file", "a/b/.shiplock.x.y", "a-b", "a.b"):
        repo.write(name, "x")
    repo.commit("locks")
    with_locks = repo.git("rev-parse", "HEAD^{tree}")
    repo.git("rm", "--quiet", *names)
    repo.git("commit", "--quiet", "--message", "without")
    without = repo.git("rev-parse", "HEAD^{tree}")
    with Repository.discover(repo.path).objects() as objects:
        paths = frozenset(name.encode() for name in names)
        assert content_tree(objects.read, with_locks, paths) == without
        assert content_tree(objects.read, with_locks, frozenset()) == with_locks
        assert same_content(objects.read, with_locks, without)
        assert not same_content(objects.read, with_locks, tree)


Files = dict[tuple[bytes, ...], bytes]
_parts = st.sampled_from([b"a", b"b", b".shiplock", b".shiplock.x", b".shiplock.x.y", b"a.b"])


@st.composite
def trees(draw: st.DrawFn) -> Files:
    """Files by their path's parts; no path is a folder of another."""
    found = draw(
        st.dictionaries(st.lists(_parts, min_size=1, max_size=4).map(tuple), st.just(b"x"))
    )
    return {
        path: data
        for path, data in found.items()
        if not any(other != path and other[: len(path)] == path for other in found)
    }


def store(files: Files, objects: dict[str, bytes]) -> str:
    """Put the files into `objects` as trees, as git would; return the root's id."""
    lines: list[tuple[bytes, bytes]] = []
    for name in {path[0] for path in files}:
        below = {path[1:]: data for path, data in files.items() if path[0] == name}
        oid = "1" * 40 if () in below else store(below, objects)
        mode = b"100644" if () in below else b"40000"
        order = name if () in below else name + b"/"  # how git sorts: folders as if with a slash
        lines.append((order, mode + b" " + name + b"\0" + bytes.fromhex(oid)))
    data = b"".join(line for _, line in sorted(lines))
    oid = hash_object("tree", data)
    objects[oid] = data
    return oid


def without_locks(files: Files) -> Files:
    names = {b".shiplock", b".shiplock.x"}
    return {path: data for path, data in files.items() if path[-1] not in names}


def lock_paths(files: Files) -> frozenset[bytes]:
    return frozenset(b"/".join(path) for path in files.keys() - without_locks(files).keys())


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(trees(), trees())
def test_content_trees_of_any_files(one: Files, other: Files) -> None:
    objects: dict[str, bytes] = {}
    read = objects.__getitem__
    tree, second = store(one, objects), store(other, objects)
    content = without_locks(one)
    expected = store(content, objects) if content or not one else None
    assert content_tree(read, tree, lock_paths(one)) == expected
    same = content == without_locks(other)
    assert same_content(read, tree, second) == same_content(read, second, tree) == same


def test_a_tree_of_locks_only_has_no_content(repo: Repo) -> None:
    repo.git("switch", "--quiet", "--orphan", "locks")
    repo.write("a/.shiplock", "x")
    repo.commit("locks")
    tree = repo.git("rev-parse", "HEAD^{tree}")
    with Repository.discover(repo.path).objects() as objects:
        assert content_tree(objects.read, tree, frozenset({b"a/.shiplock"})) is None
        assert same_content(objects.read, tree, None)


def test_a_commit_with_damage() -> None:
    found = commit("0" * 40, b"tree " + b"1" * 40 + b"\nauthor nobody\n\n\xff subject")
    assert found.author == "nobody"
    assert found.committed_at == "1970-01-01T00:00:00+00:00"
    assert found.subject == "ÿ subject"


@pytest.mark.parametrize(
    ("date", "shown"),
    [
        ("1700000000 +0530", "2023-11-15T03:43:20+05:30"),
        ("0 -0000", "1970-01-01T00:00:00+00:00"),
        ("99999999999999999999 +0000", "1970-01-01T00:00:00+00:00"),
        ("1 +9999", "1970-01-01T00:00:00+00:00"),
    ],
)
def test_dates(date: str, shown: str) -> None:
    assert rfc3339(date) == shown


@settings(deadline=None)
@given(st.binary(min_size=1))
def test_quoting_is_printable_and_unambiguous(path: bytes) -> None:
    shown = quoted(path)
    assert shown.isprintable()
    if shown.startswith('"'):
        literal = shown.encode("ascii").decode("unicode_escape").encode("latin-1")
        assert literal == b'"' + path + b'"'
    else:
        assert shown.encode() == path
