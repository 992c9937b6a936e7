"""What this process never prints: the one place through which all of its output goes.

A process has one stdout and one stderr, and its threads share them, so what is hidden is kept
once for the process. It is the only state of these rooms: nothing is ever taken out of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lockship.secrets.mask import Mask


class _Hidden:
    """The values, and the mask that is made of them."""

    values: frozenset[str] = frozenset()
    mask: Mask | None = None


_hidden = _Hidden()


def hide(values: Iterable[str]) -> None:
    """Let none of these values be seen from now on."""
    from lockship.cli.text import visible
    from lockship.secrets.mask import Mask

    plain = {value for each in values for value in (each, visible(each))}
    _hidden.values |= plain
    _hidden.mask = Mask(_hidden.values)


def masked(text: str) -> str:
    """Return text as it may be printed."""
    return _hidden.mask.text(text) if _hidden.mask is not None else text


def masked_bytes(data: bytes) -> bytes:
    """Return data as it may be printed."""
    return _hidden.mask.data(data) if _hidden.mask is not None else data
