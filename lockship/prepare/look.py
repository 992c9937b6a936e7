"""The one look at the repository: which content is locked, and its configuration."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import msgspec

from lockship.git import Objects, Repository
from lockship.gitobjects import (
    Commit,
    Read,
    content_tree,
    hash_object,
)
from lockship.history.head import underway
from lockship.history.snapshot import changes, commit_data
from lockship.lock.model import Source
from lockship.lock.names import is_lockfile_name
from lockship.lock.version import derived_version
from lockship.prepare import config, dirty, hooks, snapshot, source
from lockship.prepare.accessories import lock_files
from lockship.prepare.ahead import Listing
from lockship.prepare.bases import find_bases
from lockship.prepare.configfiles import config_files
from lockship.prepare.filters import refuse_filters
from lockship.prepare.scope import refuse_missing, scope
from lockship.selection import covers, select


@dataclass(frozen=True)
class Look:
    """What was seen. `version` is the derived one; `snapshot` the raw commit to write, if any.

    `source` is complete but for what the configuration and a release's name say. `files` are mode
    and blob of those that accessories name, `bases` the images from elsewhere that the Dockerfile
    names, with the platforms for which it takes each.
    """

    source: Source
    version: str
    config: config.Config
    hooks: hooks.Found
    snapshot: bytes | None
    files: Mapping[str, str]
    bases: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class _Content:
    """A tree to lock: `root` is in git, `tree` is its id without lockfiles, and at `paths` only."""

    root: str
    tree: str
    attributes: tuple[bytes, ...]
    paths: tuple[str, ...]


def look(
    repository: Repository,
    status: subprocess.Popen[bytes],
    begun: Listing | None,
    *,
    folder: str,
    destination: str | None,
    force: bool,
    env: Mapping[str, str],
) -> Look:
    """Look at HEAD, at what `status` finds, and at the configuration.

    `status` and the listing of HEAD's tree were begun before: see `ahead`. `folder` is where the
    configuration is, below the root.

    With `force` a dirty tree is written to git as a tree, through `env`; else it's a RefusedError,
    as is everything that can't be locked. Raises UsageError for a wrong configuration.
    """
    with repository.objects(env) as objects:
        head = source.head(objects)
        # HEAD may have moved since the listing was begun: then there is another one.
        fresh = begun if begun and begun.tree == head.tree else None
        scoped = partial(scope, objects.read, folder=folder, destination=destination)
        paths = scoped(head.tree)
        with fresh or Listing(repository.root, head.tree, env) as listing:
            origin, at_edge = source.source_commit(objects, head, _raw(paths))
            content = _content(objects.read, head.tree, listing, paths)
        changed = dirty.within(dirty.finish(repository, status), _raw(paths))
        if at_edge:
            source.refuse_edge(objects.read, origin, content.tree, os.fsencode(folder), _raw(paths))
        if not force:
            dirty.refuse(changed, underway(repository))
        locked = content
        if changed:
            dirty.refuse_submodules(changed)
            locked = _dirty_content(repository, objects, head, env, paths)
            if scoped(locked.root) != paths:  # the configuration itself is what is dirty
                locked = _dirty_content(repository, objects, head, env, scoped(locked.root))
                origin, _ = source.source_commit(objects, head, _raw(locked.paths))
        refuse_filters(repository, objects.read, locked.root, locked.attributes, env, locked.paths)
        parsed = config.parse(config_files(objects.read, locked.root, folder, destination))
        bases: dict[str, tuple[str, ...]] = {}
        if parsed.image.digest is None:
            refuse_missing(objects.read, locked.root, parsed.build, _raw(locked.paths))
            bases = find_bases(objects.read, locked.root, parsed.build)
        files = lock_files(objects.read, locked.root, parsed.accessories, _raw(locked.paths))
        scripts = hooks.find(objects.read, locked.root, folder)
    seen = _describe(origin, locked)
    # What status shows may be no change of content: a lockfile's, or an empty folder's.
    if locked.tree == content.tree:
        return Look(seen, derived_version(origin.id), parsed, scripts, None, files, bases)
    version = derived_version(origin.id, locked.tree)
    data = commit_data(locked.tree, origin, version)
    changed_paths = changes(repository, origin.tree, locked.tree, env, locked.paths)
    commit = hash_object("commit", data)
    seen = msgspec.structs.replace(seen, dirty=True, snapshot=commit, changes=changed_paths)
    return Look(seen, version, parsed, scripts, data, files, bases)


def _dirty_content(
    repository: Repository,
    objects: Objects,
    head: Commit,
    env: Mapping[str, str],
    paths: tuple[str, ...],
) -> _Content:
    tree = snapshot.write_tree(repository, head.id, env, _raw(paths))
    with Listing(repository.root, tree, env) as listing:
        return _content(objects.read, tree, listing, paths)


def _raw(paths: tuple[str, ...]) -> frozenset[bytes]:
    return frozenset(os.fsencode(path) for path in paths)


def _content(read: Read, root: str, listing: Listing, paths: tuple[str, ...]) -> _Content:
    names = listing.names()
    lockfiles = [p for p in _named(names, b".shiplock") if is_lockfile_name(_base(p))]
    attributes = [p for p in _named(names, b".gitattributes") if _base(p) == b".gitattributes"]

    def below(path: bytes, oid: str) -> str | None:
        inside = (each.removeprefix(path + b"/") for each in lockfiles if covers((path,), each))
        return content_tree(read, oid, frozenset(inside))

    if paths:
        tree = select(read, root, _raw(paths), below)
    else:
        tree = content_tree(read, root, frozenset(lockfiles))
    return _Content(root, tree or hash_object("tree", b""), tuple(attributes), paths)


def _named(names: bytes, part: bytes) -> Iterator[bytes]:
    """Return the paths with `part` in them, of paths that end in NUL; no loop over all of them."""
    at = names.find(part)
    while at >= 0:
        end = names.index(b"\0", at)
        yield names[names.rfind(b"\0", 0, at) + 1 : end]
        at = names.find(part, end)


def _base(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]


def _describe(origin: Commit, locked: _Content) -> Source:
    return Source(
        commit=origin.id,
        tree=locked.tree,
        paths=locked.paths,
        subject=origin.subject,
        author=origin.author,
        committed_at=origin.committed_at,
        dirty=False,
    )
