"""Find a host's keys in known_hosts as OpenSSH does (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

DEFAULT_PORT: Final = 22
_KEY_TYPES: Final = re.compile(r"ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)")
_MARKERS: Final = frozenset({"@revoked", "@cert-authority"})


@dataclass(frozen=True)
class Known:
    """What known_hosts says about a host: usable keys, sorted, and what else was there."""

    keys: tuple[str, ...]
    revoked: bool = False
    authority: bool = False


def names_of(host: str, port: int) -> tuple[str, ...]:
    """Return the names under which a host is looked for, the best one first."""
    return (host,) if port == DEFAULT_PORT else (f"[{host}]:{port}", host)


def find(lines: Iterable[str], names: Iterable[str]) -> Known:
    """Return what `lines` say about the first of `names` that has keys."""
    parsed = [found for line in lines if (found := _parse(line))]
    revoked: set[str] = set()
    authority = False
    for name in names:
        keys: set[str] = set()
        for marker, patterns, key in parsed:
            if not _matches(patterns, name.lower()):
                continue
            if marker == "@revoked":
                revoked.add(key)
            elif marker == "@cert-authority":
                authority = True
            else:
                keys.add(key)
        good = keys - revoked
        if good:
            return Known(tuple(sorted(good)))
    return Known((), bool(revoked), authority)


def _parse(line: str) -> tuple[str, str, str] | None:
    """Return (marker, patterns, key) of a line that names a key of a kind known here."""
    words = line.split()
    if not words or words[0].startswith("#"):
        return None
    marker = words.pop(0) if words[0].startswith("@") else ""
    if len(words) < 3 or (marker and marker not in _MARKERS) or not is_key(words[1], words[2]):
        return None
    return marker, words[0], f"{words[1]} {words[2]}"


def fingerprint(key: str) -> str:
    """Return a key's fingerprint as ssh shows it; the key as here, `ssh-ed25519 AAAA...`."""
    digest = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def is_key(kind: str, encoded: str) -> bool:
    """Tell whether a key is whole: its base64 begins with its own type's name (RFC 4253, 6.6)."""
    if not _KEY_TYPES.fullmatch(kind):
        return False
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    return blob.startswith(len(kind).to_bytes(4, "big") + kind.encode())


def _matches(patterns: str, name: str) -> bool:
    if patterns.startswith("|1|"):
        return _matches_hashed(patterns, name)
    matched = False
    for pattern in patterns.lower().split(","):
        # Only '*' and '?' are special to OpenSSH; '[' begins a name with a port.
        wanted = pattern.removeprefix("!").replace("[", "[[]")
        if fnmatch.fnmatchcase(name, wanted):
            if pattern.startswith("!"):
                return False
            matched = True
    return matched


def _matches_hashed(text: str, name: str) -> bool:
    parts = text.split("|")
    if len(parts) != 4:
        return False
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in parts[2:])
    except binascii.Error:
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)
