"""The one look at the repository: which content is locked, and its configuration."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from lockship.errors import UsageError
from lockship.git import Objects, Repository
from lockship.gitobjects import (
    FOLDER,
    Commit,
    Read,
    content_tree,
    entries,
    find_entry,
    hash_object,
    quoted,
)
from lockship.history.head import underway
from lockship.history.snapshot import changes, commit_data
from lockship.lock.model import Source
from lockship.lock.names import CONFIG_NAME, is_lockfile_name
from lockship.lock.version import derived_version
from lockship.prepare import config, dirty, snapshot, source
from lockship.prepare.ahead import Listing
from lockship.prepare.filters import refuse_filters


@dataclass(frozen=True)
class Look:
    """What was seen. `version` is the derived one; `snapshot` the raw commit to write, if any.

    `source` is complete but for what the configuration and a release's name say.
    """

    source: Source
    version: str
    config: config.Config
    snapshot: bytes | None


@dataclass(frozen=True)
class _Content:
    """A tree to lock: `root` is in git, `tree` is its id without lockfiles."""

    root: str
    tree: str
    attributes: tuple[bytes, ...]


def look(
    repository: Repository,
    status: subprocess.Popen[bytes],
    begun: Listing | None,
    *,
    destination: str | None,
    force: bool,
    env: Mapping[str, str],
) -> Look:
    """Look at HEAD, at what `status` finds, and at the configuration.

    `status` and the listing of HEAD's tree were begun before: see `ahead`.

    With `force` a dirty tree is written to git as a tree, through `env`; else it's a RefusedError,
    as is everything that can't be locked. Raises UsageError for a wrong configuration.
    """
    with repository.objects(env) as objects:
        head = source.head(objects)
        # HEAD may have moved since the listing was begun: then there is another one.
        fresh = begun if begun and begun.tree == head.tree else None
        with fresh or Listing(repository.root, head.tree, env) as listing:
            origin, at_edge = source.source_commit(objects, head)
            content = _content(objects.read, head.tree, listing)
        changed = dirty.finish(repository, status)
        if at_edge:
            source.refuse_edge(objects.read, origin, content.tree)
        if not force:
            dirty.refuse(changed, underway(repository))
        locked = _dirty_content(repository, objects, head, changed, env) if changed else content
        refuse_filters(repository, objects.read, locked.root, locked.attributes, env)
        files = _config_files(objects.read, locked.root, destination)
        parsed = config.parse(files)
        _refuse_missing(objects.read, locked.root, parsed)
    seen = _describe(origin, locked.tree)
    # What status shows may be no change of content: a lockfile's, or an empty folder's.
    if locked.tree == content.tree:
        return Look(seen, derived_version(origin.id), parsed, None)
    version = derived_version(origin.id, locked.tree)
    data = commit_data(locked.tree, origin, version)
    changed_paths = changes(repository, origin.tree, locked.tree, env)
    commit = hash_object("commit", data)
    seen = msgspec.structs.replace(seen, dirty=True, snapshot=commit, changes=changed_paths)
    return Look(seen, version, parsed, data)


def _dirty_content(
    repository: Repository,
    objects: Objects,
    head: Commit,
    changed: tuple[dirty.Dirty, ...],
    env: Mapping[str, str],
) -> _Content:
    dirty.refuse_submodules(changed)
    tree = snapshot.write_tree(repository, head.id, env)
    with Listing(repository.root, tree, env) as listing:
        return _content(objects.read, tree, listing)


def _content(read: Read, root: str, listing: Listing) -> _Content:
    names = listing.names()
    lockfiles = [p for p in _named(names, b".shiplock") if is_lockfile_name(_base(p))]
    attributes = [p for p in _named(names, b".gitattributes") if _base(p) == b".gitattributes"]
    tree = content_tree(read, root, frozenset(lockfiles)) or hash_object("tree", b"")
    return _Content(root, tree, tuple(attributes))


def _named(names: bytes, part: bytes) -> Iterator[bytes]:
    """Return the paths with `part` in them, of paths that end in NUL; no loop over all of them."""
    at = names.find(part)
    while at >= 0:
        end = names.index(b"\0", at)
        yield names[names.rfind(b"\0", 0, at) + 1 : end]
        at = names.find(part, end)


def _base(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]


def _describe(origin: Commit, tree: str) -> Source:
    return Source(
        commit=origin.id,
        tree=tree,
        subject=origin.subject,
        author=origin.author,
        committed_at=origin.committed_at,
        dirty=False,
    )


def _config_files(read: Read, tree: str, destination: str | None) -> dict[str, bytes]:
    """Return the configuration's files from the tree that is locked, in order of merging."""
    names = [CONFIG_NAME, config.config_name(destination)]
    files: dict[str, bytes] = {}
    for name in dict.fromkeys(names):
        entry = find_entry(read, tree, name.encode())
        if entry is None:
            raise UsageError(
                f"{name} is not in what is locked.", hint=_remedy(read, tree, destination)
            )
        if not entry.is_file:
            raise UsageError(f"{name} is not a regular file in git.", hint="Make it one.")
        files[name] = read(entry.id)
    return files


def _remedy(read: Read, tree: str, destination: str | None) -> str:
    names = [entry.name.decode(errors="replace") for entry in entries(read(tree))]
    there = [
        name[9:-5] for name in names if name.startswith("lockship.") and name.endswith(".toml")
    ]
    others = ", ".join(name for name in there if name)
    if destination and others:
        return f"Destinations here: {others}."
    words = f"`lockship init{f' --destination {destination}' if destination else ''}`"
    return f"Write one with {words} and commit it; if it's there, see that git doesn't ignore it."


def _refuse_missing(read: Read, tree: str, parsed: config.Config) -> None:
    """Raise UsageError where the build's folder or Dockerfile isn't in the tree."""
    context, dockerfile = parsed.build.context.encode(), parsed.build.dockerfile.encode()
    folder = find_entry(read, tree, context) if context != b"." else None
    if context != b"." and (folder is None or folder.mode != FOLDER):
        raise UsageError(
            f"There is no folder {quoted(context)} in what is locked.",
            hint="Commit it, or mend `context` in [build].",
        )
    if find_entry(read, folder.id if folder else tree, dockerfile) is None:
        where = f" in {quoted(context)}" if folder else ""
        raise UsageError(
            f"There is no {quoted(dockerfile)}{where} in what is locked.",
            hint="Commit it, or mend `dockerfile` in [build] (it's a path inside the context).",
        )
