"""Where a service's files are: its folder in a repository, by their names alone."""

from __future__ import annotations

from pathlib import Path

from lockship.lock.names import CONFIG_NAME, lockfile_name


def service_folder(start: Path, root: Path, destination: str | None) -> Path:
    """Return the nearest folder, from `start` up to `root`, with a `lockship.toml` or its lockfile.

    So a repository may hold several services, each in a folder of its own. Where there is none, it
    is `root`. Nothing is read.
    """
    wanted = (CONFIG_NAME, lockfile_name(destination))
    start, root = start.resolve(), root.resolve()
    for folder in (start, *start.parents):
        if any((folder / name).exists() for name in wanted):
            return folder
        if folder == root:
            break
    return root


def path_below(root: Path, folder: Path) -> str:
    """Return a folder's path below the repository's root, as git writes it; '' for the root."""
    path = folder.relative_to(root.resolve()).as_posix()
    return "" if path == "." else path
