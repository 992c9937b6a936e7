"""What `history.walk` says of histories that real git made, odd shapes included."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lockship.errors import LockshipError
from lockship.git import Repository
from lockship.history.walk import ROOT, LockChange, changes
from tests.unit.gitrepo import Repo, clone, create


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return create(tmp_path / "shop")


def seen(
    repo: Repo, *revisions: str, folders: Sequence[bytes] | None = None
) -> list[tuple[str, bytes, str | None, str | None]]:
    """Each change as subject, path, content before and after."""
    return [
        (change.commit.subject, change.path, text(repo, change.before), text(repo, change.blob))
        for change in walked(repo, *revisions, folders=folders)
    ]


def walked(repo: Repo, *revisions: str, folders: Sequence[bytes] | None = None) -> list[LockChange]:
    repository = Repository.discover(repo.path)
    return list(changes(repository, revisions or (repo.head,), folders=folders))


def text(repo: Repo, blob: str | None) -> str | None:
    return None if blob is None else repo.git("cat-file", "blob", blob)


def lock(repo: Repo, content: str | None, subject: str, path: str | bytes = ".shiplock") -> str:
    """Commit a lockfile with some content; None removes it."""
    if content is None:
        repo.git("rm", "--quiet", path)
    else:
        repo.write(path, content)
    return repo.commit(subject)


def test_a_line_of_locks_newest_first(repo: Repo) -> None:
    lock(repo, "one", "lock 1")
    repo.write("app.txt", "two\n")
    repo.commit("work")
    lock(repo, "two", "lock 2")
    lock(repo, None, "gone")
    assert seen(repo) == [
        ("gone", b".shiplock", "two", None),
        ("lock 2", b".shiplock", "one", "two"),
        ("lock 1", b".shiplock", None, "one"),
    ]


def test_who_when_and_trailers(repo: Repo) -> None:
    message = "lock: \x1b[31mred\n\nbody: none\n\nLockship-Version: 1\nLockship-Hosts: a\n b\n"
    repo.write(".shiplock", "one")
    repo.git("add", "--all")
    repo.git(
        *("commit", "--quiet", "--cleanup=verbatim", "--message", message),
        GIT_AUTHOR_NAME="Zoë", GIT_AUTHOR_DATE="1600000000 -0330",
    )  # fmt: skip
    [change] = walked(repo)
    assert change.commit.subject == "lock: \x1b[31mred"
    assert (change.commit.author.name, change.commit.author.email) == ("Zoë", "ada@example.com")
    assert change.commit.author.at == "2020-09-13T08:56:40-03:30"
    assert change.commit.committer.seconds == 1700000000
    assert change.commit.trailers == (("Lockship-Version", "1"), ("Lockship-Hosts", "a b"))
    assert change.mode == 0o100644
    assert change.commit.parents == (repo.git("rev-parse", "HEAD~1"),)


def test_a_merge_that_takes_a_side_is_no_change_and_hides_no_side(repo: Repo) -> None:
    lock(repo, "base", "base")
    repo.git("switch", "--quiet", "--create", "side")
    lock(repo, "side", "on the side")
    repo.git("switch", "--quiet", "main")
    lock(repo, "main", "on main")
    repo.git("merge", "--quiet", "--no-edit", "--strategy=ours", "side")
    assert [subject for subject, *_ in seen(repo)] == ["on main", "on the side", "base"]


def test_a_merge_with_a_lock_of_its_own_is_a_change(repo: Repo) -> None:
    lock(repo, "base", "base")
    lock(repo, "kept", "kept", "a/.shiplock.eu")
    repo.git("switch", "--quiet", "--create", "side")
    lock(repo, "side", "on the side")
    repo.git("switch", "--quiet", "main")
    lock(repo, "main", "on main")
    repo.git("merge", "--no-commit", "side", ok=False)
    repo.write(".shiplock", "both")
    repo.write(".shiplock.new", "new")
    repo.git("rm", "--quiet", "a/.shiplock.eu")
    repo.commit("merged")
    assert seen(repo)[:3] == [
        ("merged", b".shiplock", "main", "both"),
        ("merged", b".shiplock.new", None, "new"),
        ("merged", b"a/.shiplock.eu", "kept", None),
    ]


def test_a_merge_of_two_files_from_two_sides_is_no_change(repo: Repo) -> None:
    repo.git("switch", "--quiet", "--create", "side")
    lock(repo, "side", "on the side", ".shiplock.side")
    repo.git("switch", "--quiet", "main")
    lock(repo, "main", "on main")
    repo.git("merge", "--quiet", "--no-edit", "side")
    assert [subject for subject, *_ in seen(repo)] == ["on main", "on the side"]


def test_names_that_are_lockfiles_and_names_that_are_not(repo: Repo) -> None:
    odd = b"\xff \n\t:[*]\\"
    for name in (".shiplock", ".shiplock.eu", "a/b/.shiplock", odd + b"/.shiplock"):
        repo.write(name, "lock")
    for name in (".shiplock~", ".shiplock.", ".shiplock.EU", "x.shiplock", ".shiplocks"):
        repo.write(name, "no lock")
    repo.write("c/.shiplock/file", "a folder")
    (repo.path / ".shiplock.link").symlink_to("app.txt")
    repo.commit("all")
    found = {change.path: change.mode for change in walked(repo)}
    assert found == {
        b".shiplock": 0o100644,
        b".shiplock.eu": 0o100644,
        b".shiplock.link": 0o120000,
        b"a/b/.shiplock": 0o100644,
        odd + b"/.shiplock": 0o100644,
    }
    narrow = {change.path for change in walked(repo, folders=[odd])}
    assert narrow == {odd + b"/.shiplock"}
    assert {change.path for change in walked(repo, folders=ROOT)} == {
        name for name in found if b"/" not in name
    }


def test_a_renamed_lockfile_is_removed_and_added(repo: Repo) -> None:
    lock(repo, "one", "lock")
    repo.git("mv", ".shiplock", ".shiplock.eu")
    repo.commit("moved")
    assert seen(repo)[:2] == [
        ("moved", b".shiplock", "one", None),
        ("moved", b".shiplock.eu", None, "one"),
    ]


def test_only_what_is_asked_for(repo: Repo) -> None:
    first = lock(repo, "one", "1")
    second = lock(repo, "two", "2")
    lock(repo, "three", "3")
    assert [subject for subject, *_ in seen(repo, second, f"^{first}")] == ["2"]
    assert seen(repo, second, f"^{second}") == []
    assert list(changes(Repository.discover(repo.path), [])) == []


def test_a_lock_in_the_first_commit(tmp_path: Path) -> None:
    repo = create(tmp_path / "other")
    repo.git("switch", "--quiet", "--orphan", "fresh")
    repo.write(".shiplock", "one")
    repo.commit("root")
    repo.git("config", "log.showRoot", "false")
    assert seen(repo) == [("root", b".shiplock", None, "one")]


def test_the_edge_of_a_shallow_clone_is_marked(repo: Repo, tmp_path: Path) -> None:
    lock(repo, "one", "1")
    lock(repo, "two", "2")
    shallow = clone(repo, tmp_path / "shallow", "--depth=1")
    [change] = walked(shallow)
    assert (change.commit.subject, change.before, change.commit.edge) == ("2", None, True)
    assert not any(change.commit.edge for change in walked(repo))


def test_a_persons_configuration_changes_nothing(repo: Repo) -> None:
    lock(repo, "one", "1")
    lock(repo, "one", "2", "a/.shiplock")
    expected = walked(repo)
    (repo.path / "order").write_text("nothing\n")
    for name, value in (
        *(("color.ui", "always"), ("diff.renames", "copies"), ("log.showSignature", "true")),
        *(("log.follow", "true"), ("diff.relative", "true"), ("log.date", "human")),
        *(("diff.orderFile", "order"), ("i18n.logOutputEncoding", "UTF-16"), ("log.mailmap", "1")),
        *(("format.pretty", "oneline"), ("log.diffMerges", "off"), ("diff.noprefix", "true")),
    ):
        repo.git("config", name, value)
    assert walked(repo) == expected


def test_a_missing_object_is_an_error(repo: Repo) -> None:
    lock(repo, "one", "1")
    tree = repo.git("rev-parse", "HEAD^{tree}")
    (repo.path / ".git/objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(LockshipError, match="git log"):
        walked(repo)


def test_who_stops_reading_stops_git(repo: Repo) -> None:
    for number in range(3):
        lock(repo, str(number), str(number))
    stream = changes(Repository.discover(repo.path), [repo.head])
    assert next(stream).commit.subject == "2"
    stream.close()  # type: ignore[attr-defined]
