"""One thing that doesn't hold, wherever it was found."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

About = Literal["lock", "registry", "host", "build"]


class Finding(Struct, frozen=True, kw_only=True, rename="kebab"):
    """What is wrong, where, and what to do.

    `kind` is a word for machines; `field` the lock's key, or the journal's line. What doesn't
    apply is None.
    """

    about: About
    kind: str
    what: str
    hint: str = ""
    commit: str | None = None
    path: str | None = None
    version: str | None = None
    field: str | None = None
    host: str | None = None
