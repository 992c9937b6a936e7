"""Make foreign text safe to look at.

A branch's name, a commit's subject, a path, a host's output or a log line may hold what a terminal
obeys (ESC, C1 controls) or what makes text read otherwise than it is (bidirectional overrides,
Unicode TR 36; CVE-2021-42574). Such characters are shown as their escapes.
"""

from __future__ import annotations

import unicodedata
from typing import Final

# Controls, formats, surrogates (bytes that were no UTF-8), line and paragraph separators.
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Zero-width joiners are parts of words and emoji, and neither move the cursor nor turn text round.
_KEPT: Final = frozenset({"\u200c", "\u200d"})
_NAMED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_BYTES_FROM: Final = 0xDC80  # where surrogateescape puts the byte 0x80 (PEP 383)
_BYTES_TO: Final = 0xDCFF


def visible(value: str | bytes, *, keep: str = "") -> str:
    r"""Return `value` on one line, with every unsafe character as its escape (`\x1b`, `\u202e`).

    Bytes are read as UTF-8, and those that are none are shown as `\xff`. `keep` holds characters
    that are left as they are, such as a tab.
    """
    text = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in keep or _is_safe(c) else _escape(c) for c in text)


def _is_safe(character: str) -> bool:
    return character in _KEPT or unicodedata.category(character) not in _UNSAFE


def _escape(character: str) -> str:
    named = _NAMED.get(character)
    if named is not None:
        return named
    point = ord(character)
    if _BYTES_FROM <= point <= _BYTES_TO:
        return f"\\x{point - 0xDC00:02x}"
    if point <= 0xFF:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def json_visible(encoded: bytes) -> str:
    r"""Return JSON with its unsafe characters as JSON's own escapes: the same data, safe to show.

    JSON needs no escape for DEL, C1 controls or bidirectional overrides (RFC 8259, section 7),
    and a terminal obeys them. Inside JSON such characters occur only in strings.
    """
    text = encoded.decode()
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(c if c == "\n" or _is_safe(c) else _json_escape(c) for c in text)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2))
