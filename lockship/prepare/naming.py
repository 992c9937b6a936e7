"""The version's name: derived from the content, or a release's that a person gave."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from lockship.errors import UsageError
from lockship.lock.model import Lock, Source
from lockship.lock.names import Tag
from lockship.lock.shape import problems
from lockship.prepare.look import Look

_BASE: Final = re.compile(r"-base-[0-9a-f]{8}\Z")
_LONGEST: Final = 100  # characters of a version before that


def refuse_bad_name(version: str | None) -> None:
    """Raise UsageError where a release's name can't be an image's tag."""
    for problem in problems(version, Tag) if version is not None else ():
        raise UsageError(f"{problem.found} can't be a version.", hint=f"Give {problem.expected}.")


def named(
    seen: Look, version: str | None, before: Lock | None
) -> tuple[Source, str, tuple[str, ...]]:
    """Return the complete source, the version's name, and what a person should know.

    A release's name sticks to its content: while `before` locks the same one, it stays.
    """
    source = msgspec.structs.replace(seen.source, remote=seen.config.source.remote)
    notes: tuple[str, ...] = ()
    if version is None and before is not None and before.source.release:
        old = before.source
        if (old.commit, old.tree, old.dirty) == (source.commit, source.tree, source.dirty):
            version = before.service.version
        else:
            notes = (
                f"The content changed, so it isn't release {before.service.version} any more: "
                f"it is {seen.version}.",
            )
    if version is None:
        return source, seen.version, notes
    return msgspec.structs.replace(source, release=True), version, notes


def on_other_bases(
    source: Source, version: str, before: Lock | None, base: Mapping[str, str]
) -> tuple[Source, str, tuple[str, ...]]:
    """Return source, version and notes where `before` locks this version on other base images.

    It is another image then, and a tag never moves from one to the other: so it is released under
    a name that says on which bases it stands.
    """
    if before is None or before.service.version != version or before.build.base == base:
        return source, version, ()
    encoded = msgspec.json.encode(base, order="sorted")
    stand = hashlib.sha256(b"lockship bases 1\n" + encoded).hexdigest()[:8]
    named = f"{_BASE.sub('', version)[:_LONGEST]}-base-{stand}"
    note = f"The same content on other base images: {version} is taken, so this is {named}."
    return msgspec.structs.replace(source, release=True), named, (note,)
