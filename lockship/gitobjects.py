"""What git's objects say: trees, commits, ids, and the tree that is left without lockfiles.

Pure functions over the bytes of objects. The formats are git's own: gitformat-pack(5), "object
types", and Documentation/technical/hash-function-transition in its sources.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from lockship.lock.names import is_lockfile_name

FOLDER: Final = 0o040000
SYMLINK: Final = 0o120000
SUBMODULE: Final = 0o160000

Read = Callable[[str], bytes]


@dataclass(frozen=True)
class Entry:
    """A line of a tree. `mode` as git writes it: a file, a symlink, a folder, a submodule."""

    mode: int
    name: bytes
    id: str

    @property
    def is_lockfile(self) -> bool:
        """Whether this is a lockfile, which isn't content: a regular file with such a name."""
        return self.is_file and is_lockfile_name(self.name)

    @property
    def is_file(self) -> bool:
        """Whether this is a regular file."""
        return self.mode & 0o170000 == 0o100000


def entries(tree: bytes) -> list[Entry]:
    """Return the lines of a raw tree object, in its order."""
    found: list[Entry] = []
    at = 0
    while at < len(tree):
        space, end = tree.index(b" ", at), tree.index(b"\0", at)
        oid = tree[end + 1 : end + 21].hex()
        found.append(Entry(int(tree[at:space], 8), tree[space + 1 : end], oid))
        at = end + 21
    return found


def find_entry(read: Read, tree: str, path: bytes) -> Entry | None:
    """Return the entry at `path` (parts joined by '/') below a tree; None where there is none."""
    found = Entry(FOLDER, b"", tree)
    for part in path.split(b"/"):
        if found.mode != FOLDER:
            return None
        below = next((each for each in entries(read(found.id)) if each.name == part), None)
        if below is None:
            return None
        found = below
    return found


def content_tree(read: Read, tree: str, lockfiles: frozenset[bytes]) -> str | None:
    """Return the id that a tree has without its lockfiles; None when it holds nothing else.

    `lockfiles` are the paths of files called like one, so that only their folders are read. A
    folder that held nothing else vanishes with them. Nothing is written: the id is computed.
    """
    if not lockfiles:
        return tree
    kept = bytearray()
    for entry in entries(read(tree)):
        oid: str | None = entry.id
        if entry.mode == FOLDER:
            prefix = entry.name + b"/"
            inside = {path.removeprefix(prefix) for path in lockfiles if path.startswith(prefix)}
            oid = content_tree(read, entry.id, frozenset(inside))
        elif entry.name in lockfiles and entry.is_lockfile:
            oid = None
        if oid is not None:
            kept += b"%o %s\0" % (entry.mode, entry.name) + bytes.fromhex(oid)
    return hash_object("tree", bytes(kept)) if kept else None


@dataclass(frozen=True)
class Commit:
    """What a commit says. `author` is `Name <address>`; `date` is the committer's, raw.

    `committed_at` is the same date by RFC 3339, in the committer's own time zone.
    """

    id: str
    tree: str
    parents: tuple[str, ...]
    author: str
    date: str
    committed_at: str
    subject: str


_IDENT: Final = re.compile(r"(.*?) ?<([^<>]*)> (-?\d+) ([+-]\d{4})")


def commit(oid: str, data: bytes) -> Commit:
    """Parse a raw commit."""
    header, _, message = data.partition(b"\n\n")
    lines = [line.partition(b" ") for line in header.split(b"\n")]
    first = {key: value for key, _, value in reversed(lines)}
    encoding = first.get(b"encoding", b"utf-8").decode("ascii", "replace")
    author, _ = _ident(_text(first.get(b"author", b""), encoding))
    _, date = _ident(_text(first.get(b"committer", b""), encoding))
    parents = tuple(value.decode() for key, _, value in lines if key == b"parent")
    subject = _subject(_text(message, encoding))
    return Commit(oid, first[b"tree"].decode(), parents, author, date, rfc3339(date), subject)


def _text(data: bytes, encoding: str) -> str:
    for candidate in ("utf-8", encoding):
        try:
            return data.decode(candidate)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("latin-1")


def _ident(line: str) -> tuple[str, str]:
    found = _IDENT.fullmatch(line)
    if found is None:  # git shows such a damaged date as the epoch
        return _plain(line), "0 +0000"
    name, address, seconds, zone = found.groups()
    return _plain(f"{name} <{address}>"), f"{seconds} {zone}"


def _subject(message: str) -> str:
    """Return the first paragraph as one line, as git's `%s`."""
    paragraph = re.split(r"\n[ \t]*\n", message.strip("\n"), maxsplit=1)[0]
    return _plain(paragraph)


def _plain(text: str) -> str:
    """Replace what doesn't print: it would be shown on terminals and in reviews."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def rfc3339(date: str) -> str:
    """Return a date as git stores it (`SECONDS +HHMM`) by RFC 3339; the epoch where it has none."""
    seconds, zone = date.split()
    minutes = int(zone[1:3]) * 60 + int(zone[3:5])
    offset = timedelta(minutes=-minutes if zone[0] == "-" else minutes)
    try:
        return datetime.fromtimestamp(int(seconds), timezone(offset)).isoformat()
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC).isoformat()


def same_content(read: Read, one: str | None, other: str | None) -> bool:
    """Tell whether two trees (None: nothing) hold the same beside lockfiles; reads what differs."""
    if one == other:
        return True
    ours = {entry.name: entry for entry in entries(read(one))} if one else {}
    theirs = {entry.name: entry for entry in entries(read(other))} if other else {}
    names = ours.keys() | theirs.keys()
    return all(same_entry(read, ours.get(name), theirs.get(name)) for name in names)


def same_entry(read: Read, one: Entry | None, other: Entry | None) -> bool:
    """Tell the same of two lines of trees (None: nothing is there)."""
    ours, theirs = (each if each and not each.is_lockfile else None for each in (one, other))
    if ours == theirs:
        return True
    if (ours and ours.mode != FOLDER) or (theirs and theirs.mode != FOLDER):
        return False
    return same_content(read, ours.id if ours else None, theirs.id if theirs else None)


def hash_object(kind: str, data: bytes) -> str:
    """Return the id of an object by git's rule: SHA-1 over its kind, size and data."""
    header = b"%s %d\0" % (kind.encode(), len(data))
    return hashlib.sha1(header + data, usedforsecurity=False).hexdigest()


def quoted(path: bytes) -> str:
    """Return a path as git shows it: C-quoted where it isn't plain printable UTF-8."""
    try:
        text = path.decode()
    except UnicodeDecodeError:
        text = ""
    if text.isprintable() and text and not {'"', "\\"} & set(text):
        return text
    names = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
    plain = range(0x20, 0x7F)
    shown = (
        f"\\{names[c]}" if c in names else chr(c) if c in plain else f"\\{c:03o}" for c in path
    )
    return f'"{"".join(shown)}"'
