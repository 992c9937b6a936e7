"""What a service is made of: the whole repository, or `[source] paths` and its own files."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from lockship.errors import UsageError
from lockship.gitobjects import FOLDER, Read, find_entry, quoted
from lockship.lock.image import Build
from lockship.prepare import documents
from lockship.prepare.configfiles import config_files, config_paths
from lockship.selection import covers, touches, without_nested

OWN_FOLDER: Final = ".lockship"  # deploy hooks, and who may sign


def scope(read: Read, tree: str, folder: str, destination: str | None) -> tuple[str, ...]:
    """Return the paths that the configuration in a tree names, and the service's own files.

    Empty: the whole repository. What is wrong with the configuration is said by who reads it next.
    """
    names = config_paths(folder, destination)
    try:
        files = config_files(read, tree, folder, destination)
        merged, _ = documents.laid_over(documents.read(files))
    except UsageError:
        return ()
    source = merged.get("source")
    found = source.get("paths") if isinstance(source, dict) else None
    paths = [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
    own = [*names, OWN_FOLDER, *([f"{folder}/{OWN_FOLDER}"] if folder else [])]
    return without_nested([*paths, *own]) if paths else ()


def refuse_missing(read: Read, tree: str, build: Build, paths: Collection[bytes]) -> None:
    """Raise UsageError where the build's folder or Dockerfile isn't in what is locked."""
    context, dockerfile = build.context.encode(), build.dockerfile.encode()
    whole = b"" if context == b"." else context + b"/"
    folder = find_entry(read, tree, context) if whole else None
    if whole and (folder is None or folder.mode != FOLDER or not touches(paths, context)):
        raise UsageError(
            f"There is no folder {quoted(context)} in what is locked.",
            hint=f"Commit it, or mend `context` in [build]{_or_paths(paths)}.",
        )
    found = find_entry(read, folder.id if folder else tree, dockerfile)
    if found is None or not covers(paths, whole + dockerfile):
        where = f" in {quoted(context)}" if folder else ""
        raise UsageError(
            f"There is no {quoted(dockerfile)}{where} in what is locked.",
            hint="Commit it, or mend `dockerfile` in [build] (it's a path inside the context)"
            f"{_or_paths(paths)}.",
        )


def _or_paths(paths: Collection[bytes]) -> str:
    return ", or name its folder in [source] paths" if paths else ""
