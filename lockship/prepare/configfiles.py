"""Which files a configuration is, and their content in the tree that is locked."""

from __future__ import annotations

import os

from lockship.errors import UsageError
from lockship.gitobjects import Read, entries, find_entry, quoted
from lockship.lock.names import CONFIG_NAME


def config_name(destination: str | None) -> str:
    """Return the file that is merged over `lockship.toml` (None: `lockship.toml` itself)."""
    return f"lockship.{destination}.toml" if destination else CONFIG_NAME


def config_paths(folder: str, destination: str | None) -> tuple[str, ...]:
    """Return the files of the configuration in a folder ('' for the root), in order of merging."""
    names = dict.fromkeys((CONFIG_NAME, config_name(destination)))
    return tuple(f"{folder}/{name}" if folder else name for name in names)


def config_files(read: Read, tree: str, folder: str, destination: str | None) -> dict[str, bytes]:
    """Return a service's configuration from a tree: its files by their paths, in order of merging.

    `folder` is the service's ('' for the root). Raises UsageError where a file isn't there.
    """
    files: dict[str, bytes] = {}
    for name in config_paths(folder, destination):
        entry = find_entry(read, tree, os.fsencode(name))
        if entry is None:
            raise UsageError(
                f"{quoted(os.fsencode(name))} is not in what is locked.",
                hint=_remedy(read, tree, folder, destination),
            )
        if not entry.is_file:
            raise UsageError(f"{name} is not a regular file in git.", hint="Make it one.")
        files[name] = read(entry.id)
    return files


def _remedy(read: Read, tree: str, folder: str, destination: str | None) -> str:
    here = find_entry(read, tree, os.fsencode(folder)) if folder else None
    listed = entries(read(here.id if here else tree)) if here or not folder else []
    names = [entry.name.decode(errors="replace") for entry in listed]
    there = [
        name[9:-5] for name in names if name.startswith("lockship.") and name.endswith(".toml")
    ]
    others = ", ".join(name for name in there if name)
    if destination and others:
        return f"Destinations here: {others}."
    words = f"`lockship init{f' --destination {destination}' if destination else ''}`"
    return f"Write one with {words} and commit it; if it's there, see that git doesn't ignore it."
