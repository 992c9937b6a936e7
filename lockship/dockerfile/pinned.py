"""A Dockerfile with its images by digest: what is built from, in place of the one in the tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lockship.dockerfile.images import Use


def pinned(text: str, uses: Iterable[Use], named: Mapping[str, str]) -> str:
    """Return the text with each use of an image replaced by what `named` has for it.

    Every line stays the line that it was, so that BuildKit's messages name the right one.
    """
    changes: dict[int, str] = {}
    for use in uses:
        changes |= dict.fromkeys(use.at, "") | {use.at[0]: named[use.reference]}
    if not changes:
        return text
    pieces, done = [], 0
    for at in sorted(changes):
        pieces += [text[done:at], changes[at]]
        done = at + 1
    return "".join([*pieces, text[done:]])
