"""A place for git's objects that is thrown away: to look at a dirty tree and write nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lockship.git import Repository


@contextmanager
def apart(repository: Repository) -> Iterator[Mapping[str, str]]:
    """Yield the environment in which git reads this repository's objects and writes elsewhere."""
    import tempfile  # slow to load, and `prepare` doesn't need it

    original = str(repository.common_dir / "objects")
    # git(1), GIT_ALTERNATE_OBJECT_DIRECTORIES: a path with ':' in it is given in C quotes.
    escaped = original.replace("\\", "\\\\").replace('"', '\\"')
    with tempfile.TemporaryDirectory(prefix="lockship-") as folder:
        yield {
            "GIT_OBJECT_DIRECTORY": folder,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{escaped}"',
        }
