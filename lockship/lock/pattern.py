"""How a shape of text is said: a pattern, and the sentence that an error shows in its place."""

from __future__ import annotations

from msgspec import Meta


def text(pattern: str, expected: str) -> Meta:
    """Return the mark of a string that `pattern` matches as a whole."""
    return Meta(pattern=rf"^(?:{pattern})\Z", extra={"expected": expected})
