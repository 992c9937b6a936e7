"""Several services in one repository: each in its folder, made of its own paths only."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockship.build.folder import locked_tree
from lockship.errors import RefusedError, UsageError
from lockship.git import Repository
from lockship.gitobjects import FOLDER, content_tree, entries, hash_object
from lockship.history.content import Contents
from lockship.history.truth import Evidence, judge
from lockship.lock.model import Lock
from lockship.prepare.prepare import check, prepare
from lockship.progress import quiet
from lockship.selection import covers, select, touches, without_nested
from tests.unit.gitrepo import Repo, clone

API = """\
[service]
name = "api"

[source]
paths = ["services/api", "shared/lib.txt"]

[build]
context = "services/api"

[roles.web]
hosts = ["local"]
"""


@pytest.fixture
def several(repo: Repo) -> Repo:
    """A repository with a service at its root, and another one in services/api."""
    repo.write("services/api/lockship.toml", API)
    repo.write("services/api/Dockerfile", "FROM scratch\n")
    repo.write("services/api/app.txt", "one\n")
    repo.write("services/other/app.txt", "other\n")
    repo.write("shared/lib.txt", "lib\n")
    repo.write("shared/more.txt", "more\n")
    repo.commit("services")
    return repo


def api(repo: Repo, **options: bool) -> Lock:
    return prepare(repo.path / "services/api", **options).lock  # type: ignore[arg-type]


def files(repo: Repo, tree: str) -> list[str]:
    return repo.git("ls-tree", "-r", "--name-only", tree).splitlines()


def test_a_service_in_a_folder_is_its_paths_and_its_own_files(several: Repo) -> None:
    prepared = prepare(several.path / "services/api")
    lock = prepared.lock
    assert prepared.path == several.path / "services/api/.shiplock"
    assert lock.service.name == "api"
    assert lock.source.paths == (".lockship", "services/api", "shared/lib.txt")
    assert lock.source.commit == several.head
    by_hand = several.git("write-tree", GIT_INDEX_FILE=str(_index_of(several, "services/api")))
    assert lock.source.tree == by_hand
    assert files(several, by_hand) == [
        "services/api/Dockerfile",
        "services/api/app.txt",
        "services/api/lockship.toml",
        "shared/lib.txt",
    ]


def _index_of(repo: Repo, folder: str) -> Path:
    """An index that git itself filled with the paths of the service."""
    index = repo.path.parent / "by-hand"
    repo.git("read-tree", "--empty", GIT_INDEX_FILE=str(index))
    paths = repo.git("ls-tree", "-r", "HEAD", folder, "shared/lib.txt")
    subprocess.run(
        ["git", "update-index", "--index-info"],
        cwd=repo.path,
        env={"PATH": "/usr/bin:/bin", "GIT_INDEX_FILE": str(index)},
        input=paths.encode() + b"\n",
        check=True,
    )
    return index


def test_the_services_of_a_repository_have_locks_and_versions_of_their_own(several: Repo) -> None:
    before = api(several)
    several.write("services/other/app.txt", "changed\n")
    several.write("shared/more.txt", "changed\n")
    several.commit("work on another service")
    assert api(several) == before
    assert not check(several.path / "services/api").differences
    assert prepare(several.path).lock.service.version == several.head[:12]
    several.write("shared/lib.txt", "changed\n")
    several.commit("work on what they share")
    after = api(several)
    assert after.service.version == several.head[:12] != before.service.version
    assert after.source.tree != before.source.tree


def test_locks_and_empty_commits_leave_it_fresh(several: Repo) -> None:
    before = api(several)
    several.commit("lock")
    several.commit("nothing", "--allow-empty")
    assert api(several) == before
    (several.path / "services/api/.shiplock").unlink()
    assert api(several) == before


def test_only_its_own_changes_make_it_dirty(several: Repo) -> None:
    before = api(several)
    several.write("services/other/app.txt", "edited\n")
    several.write("new/file.txt", "new\n")
    assert api(several) == before
    several.write("services/api/new.txt", "new\n")
    with pytest.raises(RefusedError, match="dirty: 1 path differs") as caught:
        api(several)
    assert caught.value.details == ("?? services/api/new.txt",)


def test_a_snapshot_holds_its_paths_only(several: Repo) -> None:
    several.write("services/other/app.txt", "edited\n")
    several.write("services/api/app.txt", "edited\n")
    state = several.state()
    lock = api(several, force=True)
    after = several.state()
    assert all(after[each] == state[each] for each in ("index", "HEAD", "refs", "stash"))
    assert lock.source.dirty
    assert lock.source.changes == ("M services/api/app.txt",)
    snapshot = lock.source.snapshot
    assert snapshot is not None
    assert several.git("show", f"{snapshot}:services/api/app.txt") == "edited"
    paths = [b"services/api", b"shared/lib.txt"]
    assert all(covers(paths, each.encode()) for each in files(several, snapshot))
    again = clone(several, several.path.parent / "again")
    again.write("services/api/app.txt", "edited\n")
    assert api(again, force=True) == lock, "what is dirty elsewhere has no part in it"


def test_a_dirty_configuration_says_itself_what_it_is_about(several: Repo) -> None:
    several.write("services/api/lockship.toml", API.replace(', "shared/lib.txt"', ""))
    several.write("services/other/app.txt", "edited\n")
    lock = api(several, force=True)
    assert lock.source.paths == (".lockship", "services/api")
    assert lock.source.changes == ("M services/api/lockship.toml",)


def test_a_deleted_path_is_a_change(several: Repo) -> None:
    (several.path / "shared/lib.txt").unlink()
    lock = api(several, force=True)
    assert lock.source.changes == ("D shared/lib.txt",)


def test_git_agrees_that_the_locks_are_true(several: Repo) -> None:
    clean = prepare(several.path / "services/api")
    several.commit("lock")
    several.write("services/api/app.txt", "edited\n")
    blobs = [several.git("rev-parse", "HEAD:services/api/.shiplock")]
    prepare(several.path / "services/api", force=True)
    blobs.append(several.git("hash-object", "-w", "services/api/.shiplock"))
    repository = Repository.discover(several.path)
    with repository.objects() as objects:
        evidence = Evidence(repository, objects, Contents(objects))
        for blob in blobs:
            truth = judge(evidence, b"services/api/.shiplock", 0o100644, blob, None)
            assert truth.lock is not None
            assert truth.findings == ()
    assert clean.changed


def test_what_is_built_is_that_and_nothing_else(several: Repo) -> None:
    several.write("services/api/app.txt", "edited\n")
    for lock in (api(several, force=True), _cleaned(several)):
        with locked_tree(several.path, lock, quiet) as folder:
            found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
        expected = ("Dockerfile", "app.txt", "lockship.toml")
        assert found == {f"services/api/{name}" for name in expected} | {"shared/lib.txt"}


def _cleaned(repo: Repo) -> Lock:
    repo.git("restore", "services/api/app.txt")
    return api(repo)


def test_the_nearest_service_is_meant(several: Repo) -> None:
    several.write("services/api/deep/er/file.txt", "x")
    several.commit("deeper")
    assert prepare(several.path / "services/api/deep/er").lock.service.name == "api"
    assert prepare(several.path / "services/other").lock.service.name == "shop"


def test_what_is_not_among_the_paths_cannot_be_built(several: Repo) -> None:
    several.write("services/api/lockship.toml", API.replace('"services/api", ', ""))
    several.commit("paths without the context")
    with pytest.raises(UsageError, match="There is no Dockerfile in services/api") as caught:
        api(several)
    assert "[source] paths" in caught.value.hint


def test_a_shallow_clone_may_not_know_the_source(several: Repo) -> None:
    several.write("services/other/app.txt", "changed\n")
    several.commit("work on another service")
    shallow = clone(several, several.path.parent / "shallow", "--depth=1")
    with pytest.raises(RefusedError, match="shallow") as caught:
        api(shallow)
    shallow.git("fetch", "--quiet", "--unshallow")
    assert "--unshallow" in caught.value.hint
    assert api(shallow) == api(several)


def test_without_nested() -> None:
    assert without_nested(["b/c", "a", "b", "a/b", "ab"]) == ("a", "ab", "b")
    assert without_nested(["a", "."]) == ()


NAMES = st.sampled_from(["a", "b", "a b", "é", ".shiplock"])
TREES = st.recursive(
    st.binary(max_size=3), lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3)
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@given(st.dictionaries(NAMES, TREES, min_size=1), st.lists(PATHS, min_size=1, max_size=4))
def test_a_selection_is_what_is_left_when_the_rest_is_removed(
    tree: dict[str, object], paths: list[str]
) -> None:
    store: dict[str, bytes] = {}
    wanted = frozenset(path.encode() for path in without_nested(paths))
    root = _store(store, tree)
    kept = _kept(tree, b"", wanted)
    expected = _store(store, kept) if kept else None

    def below(path: bytes, oid: str) -> str | None:
        assert touches(wanted, path)
        return content_tree(store.__getitem__, oid, frozenset(_locks(store, oid)))

    assert select(store.__getitem__, root, wanted, below) == expected


def _kept(tree: dict[str, object], above: bytes, paths: frozenset[bytes]) -> dict[str, object]:
    """The same, simply: no lockfile, nothing that isn't covered, no empty folder."""
    kept: dict[str, object] = {}
    for name, value in tree.items():
        path = above + name.encode()
        if isinstance(value, dict):
            if inside := _kept(value, path + b"/", paths):
                kept[name] = inside
        elif covers(paths, path) and name != ".shiplock":
            kept[name] = value
    return kept


def _store(store: dict[str, bytes], tree: dict[str, object]) -> str:
    lines = []
    for name, value in tree.items():
        key = name.encode()
        if isinstance(value, dict):
            lines.append((key + b"/", b"40000", _store(store, value)))
        elif isinstance(value, bytes):
            lines.append((key, b"100644", hash_object("blob", value)))
    data = b"".join(
        mode + b" " + key.removesuffix(b"/") + b"\0" + bytes.fromhex(oid)
        for key, mode, oid in sorted(lines)
    )
    oid = hash_object("tree", data)
    store[oid] = data
    return oid


def _locks(store: dict[str, bytes], oid: str, above: bytes = b"") -> list[bytes]:
    found = []
    for entry in entries(store[oid]):
        if entry.mode == FOLDER:
            found += _locks(store, entry.id, above + entry.name + b"/")
        elif entry.is_lockfile:
            found.append(above + entry.name)
    return found
