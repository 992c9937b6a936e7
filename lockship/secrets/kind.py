"""What a kind of source is, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


class Unresolved(Exception):  # noqa: N818 - what is so, not an error's kind
    """A secret can't be had. Its text says why, and is safe to show."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where secrets are looked for: the folder that paths begin at, and the environment."""

    root: Path
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of source, written `KIND:WHAT`, or `KIND:WHAT#PART` where `pick` isn't None.

    `form` is how messages write it. `is_sound` tells whether WHAT and PART can be right; a PART
    that isn't there is ''. `fetch` gets WHAT, and is called once for however many secrets; `pick`
    finds the PART in what was fetched.
    """

    form: str
    is_sound: Callable[[str, str], bool]
    fetch: Callable[[str, Place], str]
    pick: Callable[[str, str], str] | None = None
