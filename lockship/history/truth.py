"""Whether a lock tells the truth: about itself, and about the git objects that it names.

The rules are `prepare`'s own (docs/lockfile.md, "Source identity"); what can't be told from git's
objects alone (host keys, an image's id) is believed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

from lockship.errors import LockshipError
from lockship.git import Objects, Repository
from lockship.gitobjects import Commit, commit, hash_object
from lockship.history import mounted, scripts
from lockship.history.content import Contents
from lockship.history.edits import Partial, edited_fields
from lockship.history.snapshot import changes, commit_data
from lockship.lock.fingerprint import build_key
from lockship.lock.model import Lock
from lockship.lock.names import lockfile_name
from lockship.lock.reader import (
    MAX_BYTES,
    EditedLockError,
    NewerLockError,
    UnsoundLockError,
    parse,
    to_tables,
)
from lockship.lock.version import SNAPSHOTS, derived_version

Kind = Literal[
    "place",  # not a regular file, or another destination's name
    "damaged",  # no lock: not TOML, not the shape of one
    "newer",  # of a later lock-version
    "edited",  # by hand: the fingerprint isn't that of the content
    "missing",  # the source commit or the snapshot isn't in this repository
    "source",  # what it says of its source commit isn't so
    "version",  # not the one that the rules give
    "snapshot",  # what it says of its snapshot isn't so
    "hooks",  # the deploy hooks aren't those of the content
    "files",  # an accessory's files aren't those of the content
    "artifact",  # what was built is another lock's
]
_REGULAR: Final = 0o100000
_KINDS: Final = {0o120000: "a symlink", 0o160000: "a submodule", 0o040000: "a folder"}
_PREPARE: Final = "Write it anew with `lockship prepare`."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that isn't true. `field` is the lock's key ('' for the whole file).

    `what` says what it is and what it should be; `hint` what mends it, where that is particular.
    """

    kind: Kind
    field: str
    what: str
    hint: str = _PREPARE


@dataclass(frozen=True, slots=True)
class Truth:
    """A lock as far as it can be read (None where it can't), and everything wrong with it."""

    lock: Lock | None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """Where the truth is looked up: git's objects, and the content trees computed so far."""

    repository: Repository
    objects: Objects
    contents: Contents


def judge(evidence: Evidence, path: bytes, mode: int, blob: str, before: str | None) -> Truth:
    """Return what is wrong with the lockfile `blob` at `path`.

    `before` is the blob of the lockfile's previous state: it helps to name an edited field. Raises
    MissingObjectError where git lacks an object that any clone has, LockshipError for a damaged
    one.
    """
    name = path.rpartition(b"/")[2].decode()  # a lockfile's name is ASCII
    if mode & 0o170000 != _REGULAR:
        what = f"it is {_KINDS.get(mode & 0o170000, 'something else')}, not a regular file"
        return Truth(None, (Finding("place", "", what, "Remove it, then `lockship prepare`."),))
    data = _read(evidence.objects, blob)
    try:
        lock = parse(data, name)
    except UnsoundLockError as error:
        return Truth(None, (_unsound(evidence, error, data, name, before),))
    below = os.fsdecode(path.rpartition(b"/")[0])
    return Truth(lock, (*_wrong(evidence, lock, name), *_from_content(evidence, lock, below)))


def _read(objects: Objects, blob: str) -> bytes:
    found = objects.find(blob, MAX_BYTES + 1)
    if found is None:
        raise LockshipError(f"Object {blob} is not in this repository.", hint="Ask `git fsck`.")
    return found[2]


def _unsound(
    evidence: Evidence, error: UnsoundLockError, data: bytes, name: str, before: str | None
) -> Finding:
    if isinstance(error, EditedLockError):
        fields = edited_fields(to_tables(data, name), _honest(evidence, data, name, before))
        what = "it was edited by hand"
        if not fields:
            what = f"{what}: its fingerprint isn't that of its content"
        return Finding("edited", ", ".join(fields) or error.field, what)
    said = error.details[0] if error.details else error.message.removeprefix(f"{name} ")
    if isinstance(error, NewerLockError):
        return Finding("newer", error.field, said.removesuffix("."), error.hint)
    return Finding("damaged", error.field, said.removesuffix("."))


def _honest(evidence: Evidence, data: bytes, name: str, before: str | None) -> list[dict[str, Any]]:
    """Return values that may be the ones from before an edit: the last lock's, and git's."""
    found: list[dict[str, Any]] = []
    if before is not None:
        with suppress(UnsoundLockError):  # the last one was no lock: it says nothing
            found.append(to_tables(_read(evidence.objects, before), name))
    table = to_tables(data, name).get("source", {})
    source = _source_commit(evidence, table["commit"])
    if isinstance(source, Commit):
        version = derived_version(source.id)
        described = Partial(
            tree=evidence.contents.of(source.tree, _paths(table)),
            subject=source.subject,
            author=source.author,
            **{"committed-at": source.committed_at},
        )
        found.append(
            Partial(service=Partial(version=version), image=Partial(tag=version), source=described)
        )
    return found


def _paths(source: dict[str, Any]) -> list[str]:
    """Return `source.paths` of a document that may be unsound."""
    found = source.get("paths")
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _wrong(evidence: Evidence, lock: Lock, name: str) -> Iterator[Finding]:
    if name != lockfile_name(lock.service.destination):
        owner = lock.service.destination or "the default destination"
        yield Finding("place", "service.destination", f"{name} holds the lock of {owner}")
    source = _source_commit(evidence, lock.source.commit)
    if isinstance(source, Finding):
        yield source
        return
    content = evidence.contents.of(source.tree, lock.source.paths)
    yield from _described(lock, source)
    if lock.source.dirty:
        yield from _forced(evidence, lock, source, content)
    else:
        if lock.source.tree != content:
            yield _differs("source", "source.tree", lock.source.tree, content)
        for field, value in (("snapshot", lock.source.snapshot), ("changes", lock.source.changes)):
            if value:
                what = f"a lock of a clean tree has no {field}"
                yield Finding("snapshot", f"source.{field}", what)
    yield from _named(lock)
    if lock.artifact is not None and lock.artifact.key != build_key(lock):
        what = "what was built is another lock's image"
        yield Finding("artifact", "artifact.key", what, "Build it again: `lockship build`.")


def _source_commit(evidence: Evidence, oid: str) -> Commit | Finding:
    found = evidence.objects.find(oid)
    if found is None:
        cut = " (this clone is shallow)" if evidence.repository.shallow else ""
        hint = "`git fetch --unshallow`, then repeat." if cut else _PREPARE
        what = f"commit {oid[:12]} isn't in this repository{cut}"
        return Finding("missing", "source.commit", what, hint)
    if found[1] != "commit":
        return Finding("source", "source.commit", f"{oid[:12]} is a {found[1]}, not a commit")
    try:
        return commit(found[0], found[2])
    except (KeyError, ValueError):
        return Finding("source", "source.commit", f"{oid[:12]} is no sound commit")


def _described(lock: Lock, source: Commit) -> Iterator[Finding]:
    said = lock.source
    for field, ours, theirs in (
        ("source.subject", said.subject, source.subject),
        ("source.author", said.author, source.author),
        ("source.committed-at", said.committed_at, source.committed_at),
    ):
        if ours != theirs:
            yield _differs("source", field, ours, theirs)


def _named(lock: Lock) -> Iterator[Finding]:
    version = lock.service.version
    expected = derived_version(lock.source.commit, lock.source.tree if lock.source.dirty else None)
    if not lock.source.release and version != expected:
        yield _differs("version", "service.version", version, expected)
    if lock.image.tag != version:
        yield _differs("version", "image.tag", lock.image.tag, version)


def _forced(evidence: Evidence, lock: Lock, source: Commit, content: str) -> Iterator[Finding]:
    """A forced lock's snapshot: its id follows from the content, so it can be computed."""
    said = lock.source
    if said.tree == content:
        yield Finding("source", "source.dirty", "its content is that of its commit, not dirty")
    version = derived_version(source.id, said.tree)
    expected = hash_object("commit", commit_data(said.tree, source, version))
    if said.snapshot != expected:
        yield _differs("snapshot", "source.snapshot", said.snapshot or "nothing", expected)
        return
    if evidence.objects.find(expected) is None:
        ref = f"{SNAPSHOTS}{version}"
        what = f"its snapshot {expected[:12]} isn't in this repository"
        yield Finding("missing", "source.snapshot", what, f"`git fetch origin {ref}:{ref}`")
        return
    if evidence.contents.of(said.tree) != said.tree:
        yield Finding("source", "source.tree", "its content tree has lockfiles in it")
    elif said.changes != changes(evidence.repository, source.tree, said.tree, {}, said.paths):
        what = "it isn't what the snapshot changes against its commit"
        yield Finding("snapshot", "source.changes", what)


def _from_content(evidence: Evidence, lock: Lock, below: str) -> Iterator[Finding]:
    """Deploy hooks and accessories' files are those of the content, and no hook is left out."""
    source = _source_commit(evidence, lock.source.commit)
    if isinstance(source, Finding):
        return
    tree = lock.source.tree if lock.source.dirty else source.tree
    found = evidence.objects.find(tree)
    if found is None or found[1] != "tree":
        return  # a snapshot that isn't here was said
    if lock.hooks is not None or below or b" .lockship\0" in found[2]:
        yield from _hooks(evidence, lock, tree, below)
    for name, what in mounted.differing(evidence.objects, lock, tree):
        yield Finding("files", f"accessories.{name}.files", what)


def _hooks(evidence: Evidence, lock: Lock, tree: str, below: str) -> Iterator[Finding]:
    for name, what in scripts.differing(evidence.objects, lock.hooks, tree, below):
        yield Finding("hooks", f"hooks.{name}", what)
    for name, blob in scripts.missing(evidence.objects, lock.hooks):
        what = f"its script {blob[:12]} isn't in this repository"
        yield Finding("missing", f"hooks.{name}", what, "Ask `git fsck`, or fetch it.")


def _differs(kind: Kind, field: str, ours: str, theirs: str) -> Finding:
    return Finding(kind, field, f"{_short(ours)} should be {_short(theirs)}")


def _short(value: str) -> str:
    longest = 60
    return f'"{value}"' if len(value) <= longest else f'"{value[: longest - 3]}..."'
