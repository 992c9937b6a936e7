"""Repositories to bring into a build folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lockship.build.folder import locked_tree
from lockship.lock.model import Lock
from lockship.progress import quiet
from tests.unit.locks import commit_all, git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit: a Dockerfile and a page."""
    path = tmp_path / "shop"
    path.mkdir()
    git(path, "init", "--quiet")
    (path / "Dockerfile").write_text("FROM scratch\n")
    (path / "index.html").write_text("one\n")
    commit_all(path)
    return path


Bring = Callable[[Path, Lock], Path]


@pytest.fixture
def bring() -> Bring:
    """Bring a lock's tree into its build folder; return the folder, which nobody holds then."""

    def bring(repository: Path, lock: Lock) -> Path:
        with locked_tree(repository, lock, quiet) as files:
            return files

    return bring
