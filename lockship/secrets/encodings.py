"""What usual encodings make of a value: as it stands in a text, whole or as a part of it."""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse
from collections.abc import Iterator
from typing import Final

# What quoting for a URL lets stand: a path, a part; and what Go (path, user) and JavaScript (part,
# whole) keep besides.
_URL_KEEPS: Final = ("/", "", "$&+=:@", "$&+,;=", "!'()*", "#$&+,/:;=?@!'()*")
_OPAQUE: Final = re.compile(r"(?=[A-Za-z+/=]*[0-9])(?=[0-9+/=]*[A-Za-z])[A-Za-z0-9+/=]{16,}")


def forms(value: str) -> Iterator[str]:
    """Yield a value as it stands in text: plain, each of its lines, and encoded."""
    raw = value.encode(errors="surrogateescape")
    yield value
    # Output comes line by line. A line such as -----BEGIN CERTIFICATE----- is nobody's secret.
    yield from (line for line in value.splitlines() if not line.startswith("-----"))
    yield repr(value)[1:-1]
    yield html.escape(value)
    yield raw.hex()
    yield raw.hex().upper()
    yield from _in_json(value)
    yield from _in_shell(value)
    for kept in _URL_KEEPS:
        quoted = urllib.parse.quote(raw, kept)
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
        yield quoted.replace("%20", "+")
    for encoded in (base64.b64encode(raw).decode(), *(_inside_base64(raw, n) for n in range(3))):
        yield encoded
        yield encoded.replace("+", "-").replace("/", "_")


def dense(value: str) -> Iterator[str]:
    """Yield what has nothing in common with what people read: any part of it is the value's own.

    Of the value as it is, a part may be a host's name: only long runs of letters and digits count,
    as tokens and keys have them.
    """
    raw = value.encode(errors="surrogateescape")
    for before in range(3):
        encoded = _inside_base64(raw, before)
        yield encoded
        yield encoded.replace("+", "-").replace("/", "_")
    yield raw.hex()
    yield raw.hex().upper()
    # A key's lines, as they are and behind one another.
    lines = [line for line in value.splitlines() if not line.startswith("-----")]
    for text in (value, "".join(lines)) if len(lines) > 1 else (value,):
        yield from _OPAQUE.findall(text)


def _in_json(value: str) -> Iterator[str]:
    for ascii_alone in (True, False):
        plain = json.dumps(value, ensure_ascii=ascii_alone)[1:-1]
        yield plain
        yield plain.replace("/", "\\/")  # as PHP writes it
        # As Go writes it, with or without these three.
        yield plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _in_shell(value: str) -> Iterator[str]:
    """As shells print it back: in single quotes, in double quotes, by backslashes."""
    yield value.replace("'", "'\\''")
    yield value.replace("'", "'\"'\"'")
    yield re.sub(r'([$`"\\])', r"\\\1", value)
    yield re.sub(r"([^A-Za-z0-9@%+=:,./_-])", r"\\\1", value)


def _inside_base64(raw: bytes, before: int) -> str:
    """Return what is seen of a value in the base64 of a text with `before` (mod 3) bytes before it.

    The first and last characters hold bits of its neighbours too, and are left out.
    """
    encoded = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
    end = -1 if (before + len(raw)) % 3 else None
    return encoded[(0, 2, 3)[before] : end]
