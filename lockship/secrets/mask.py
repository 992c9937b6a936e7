"""Text without secrets: their values, and what usual encodings make of them, are taken out."""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator
from typing import Final

HIDDEN: Final = "[hidden]"
LEAST: Final = 4
"""Characters that something has to have to be taken out: what is shorter is in every text."""


class Mask:
    """Takes values out of text, in whatever of their encodings they stand there. Immutable."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        found = {form for value in values for form in forms(value) if len(form) >= LEAST}
        # The longest first: of two that begin alike, the shorter would leave the rest to be seen.
        ordered = sorted(found, key=lambda form: (-len(form), form))
        self._text = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        encoded = b"|".join(re.escape(form.encode(errors="surrogateescape")) for form in ordered)
        self._bytes = re.compile(encoded) if ordered else None

    def text(self, text: str) -> str:
        """Return `text` with `[hidden]` in place of every secret."""
        return self._text.sub(HIDDEN, text) if self._text else text

    def data(self, data: bytes) -> bytes:
        """Return `data` with `[hidden]` in place of every secret."""
        return self._bytes.sub(HIDDEN.encode(), data) if self._bytes else data


def forms(value: str) -> Iterator[str]:
    """Yield a value as it stands in text: plain, each of its lines, and encoded."""
    raw = value.encode(errors="surrogateescape")
    yield value
    # Output comes line by line. A line such as -----BEGIN CERTIFICATE----- is nobody's secret.
    yield from (line for line in value.splitlines() if not line.startswith("-----"))
    yield repr(value)[1:-1]
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield html.escape(value)
    yield raw.hex()
    yield raw.hex().upper()
    for quoted in (urllib.parse.quote(raw), urllib.parse.quote(raw, ""), _quote_plus(raw)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    for altchars in (b"+/", b"-_"):
        yield base64.b64encode(raw, altchars).decode()
        for before in range(3):
            yield _inside_base64(raw, before, altchars)


def _quote_plus(raw: bytes) -> str:
    return urllib.parse.quote_plus(raw)


def _inside_base64(raw: bytes, before: int, altchars: bytes) -> str:
    """Return what is seen of a value in the base64 of a text with `before` (mod 3) bytes before it.

    The first and last characters hold bits of its neighbours too, and are left out.
    """
    encoded = base64.b64encode(bytes(before) + raw, altchars).decode().rstrip("=")
    end = -1 if (before + len(raw)) % 3 else None
    return encoded[(0, 2, 3)[before] : end]
