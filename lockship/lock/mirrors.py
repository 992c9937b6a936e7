"""Mirrors: where the images of a registry are had instead. What they are doesn't change by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from lockship.lock.pattern import text
from lockship.lock.reference import parse_reference

_HOST = r"(?=[^/]*[.:]|localhost(?:/|\Z))[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
MirrorName = Annotated[
    str,
    text(
        rf"{_HOST}(?:/{_PART})*",
        "a registry, with a path if need be, such as 'harbor.example.com/hub', without https://",
    ),
]


def mirrored(reference: str, mirrors: Mapping[str, str]) -> str:
    """Return by which name an image is asked for: another one where its registry has a mirror.

    `docker.io` in a table of mirrors is Docker Hub, whose official images are in `library/`, as a
    mirror has them.
    """
    named = parse_reference(reference)
    mirror = mirrors.get(named.domain) if named is not None else None
    if named is None or mirror is None:
        return reference
    behind = f"@{named.digest}" if named.digest else f":{named.tag}"
    return f"{mirror}/{named.path}{behind}"


def repository_at(repository: str, mirrors: Mapping[str, str]) -> str:
    """Return the name of a repository where its images are had."""
    named = parse_reference(repository)
    mirror = mirrors.get(named.domain) if named is not None else None
    return repository if named is None or mirror is None else f"{mirror}/{named.path}"
