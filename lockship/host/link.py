"""What a server's two kinds of link have in common: SSH, or this machine itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from lockship.host.channel import SocketLike
from lockship.host.process import Process

UNFINISHED: Final = ".new"  # how the name of a file ends that `write_file` hasn't finished


Folder = tuple[str, str]
"""A folder's path, and how the names of those of its files end that are meant."""
Looked = tuple[list[bytes | None], list[dict[str, bytes]]]
"""Files, None for one that isn't there; and folders: their files by name, none without a folder."""


class Link(Protocol):
    """A way to a host: its engine, TCP from its point of view, its files, its programs.

    Raises whatever the way itself raises; `translate.boundary` around each use makes HostErrors.
    """

    def begin(self, *, writing: bool) -> None:
        """Begin to open what is about to be used, so that nobody waits for it one after another.

        That is the engine, files to read and, with `writing`, files to write.
        """

    def dial_engine(self, timeout: float) -> SocketLike:
        """Open a stream to the Docker engine."""

    def dial(self, address: str, port: int, timeout: float) -> SocketLike:
        """Open a TCP connection from the host's point of view."""

    def spawn(self, argv: Sequence[str]) -> Process:
        """Start a program on the host."""

    def look(self, paths: Sequence[str], folders: Sequence[Folder]) -> Looked:
        """Return the content of files and folders, all asked for at once."""

    def read_tail(self, path: str, size: int) -> bytes:
        """Return at most a file's last `size` bytes; none when there is no file."""

    def write_beside(self, path: str, data: bytes, mode: int) -> str:
        """Write what is to replace a file beside it, making its folders (0700); return its path."""

    def rename(self, path: str, target: str) -> None:
        """Put a file in place of another one at once; where that can't be, remove it."""

    def append_line(self, path: str, line: bytes) -> None:
        """Append by one write, making the file (0600) and its folders (0700)."""

    def list_folder(self, path: str) -> list[str]:
        """Return the names in a folder, sorted; none when there is no folder."""

    def remove_file(self, path: str) -> None:
        """Remove a file; a gone one is fine."""

    def absolute(self, path: str) -> str:
        """Return a path from the root; a relative one begins at the login user's home."""

    def close(self) -> None:
        """End all of it."""
