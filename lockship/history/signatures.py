"""What git itself says of commits' signatures, asked for many at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from lockship.git import Repository

Signature = Literal[
    "none",
    "unchecked",  # there is one, and nobody asked git
    "good",
    "good, unknown validity",
    "good, expired signature",
    "good, expired key",
    "good, revoked key",
    "bad",
    "can't be checked",  # the key isn't here, or gpg or ssh-keygen isn't
]
# git-log(1), "PRETTY FORMATS", %G?
_LETTERS: Final[dict[bytes, Signature]] = {
    b"N": "none",
    b"G": "good",
    b"U": "good, unknown validity",
    b"X": "good, expired signature",
    b"Y": "good, expired key",
    b"R": "good, revoked key",
    b"B": "bad",
    b"E": "can't be checked",
}


def signatures(repository: Repository, commits: Iterable[str]) -> dict[str, Signature]:
    """Return what git says of each commit's signature. It runs gpg or ssh-keygen for each."""
    asked = "".join(f"{commit}\n" for commit in dict.fromkeys(commits)).encode()
    if not asked:
        return {}
    words = ("log", "--no-walk=unsorted", "--no-show-signature", "--format=%H %G?", "--stdin")
    said = repository.run(*words, stdin=asked)
    pairs = (line.split(b" ") for line in said.splitlines())
    return {oid.decode(): _LETTERS.get(letter, "can't be checked") for oid, letter in pairs}
