"""Trees made from listings are the trees that git itself makes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockship.build.gitrun import Git
from lockship.build.listing import list_tree, rewrite
from tests.unit.locks import git

NAMES = st.sampled_from(["a", "b", "a.b", "a-", "ä\n", "-x"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


def tree_of(repository: Path, paths: list[str], blob: str) -> str:
    """Return the tree with a file at each path, made by git's index."""
    index = {"GIT_INDEX_FILE": str(repository / "index")}
    (repository / "index").unlink(missing_ok=True)
    lines = "".join(f"100644 {blob}\t{path}\0" for path in paths).encode()
    runner = Git(repository, {**os.environ, **index})
    runner.run("update-index", "-z", "--index-info", stdin=lines)
    return runner.run("write-tree").decode().strip()


def without_clashes(paths: list[str]) -> list[str]:
    """Leave out paths that are folders of others."""
    return [p for p in paths if not any(other.startswith(f"{p}/") for other in paths)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store")
    git(path, "init", "--quiet")
    return path


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_edits(store: Path, data: st.DataObject) -> None:
    paths = without_clashes(data.draw(st.lists(PATHS, min_size=1, max_size=12, unique=True)))
    removed = set(data.draw(st.lists(st.sampled_from(paths), unique=True)))
    blob = git(store, "hash-object", "-w", "--stdin", stdin=b"content")
    before = tree_of(store, paths, blob)
    runner = Git(store, dict(os.environ))

    listing = list_tree(runner, before)
    after = rewrite(runner, listing, {path.encode(): None for path in removed})

    expected = tree_of(store, [path for path in paths if path not in removed], blob)
    assert after == expected
    if removed != set(paths):
        changed = next(path for path in paths if path not in removed)
        other = git(store, "hash-object", "-w", "--stdin", stdin=b"other").encode()
        edited = rewrite(runner, listing, {changed.encode(): b"100755 blob " + other})
        assert git(store, "ls-tree", "-z", edited, "--", changed).startswith("100755")
