"""A connection that may be used until a moment, however slowly the other side drips.

A socket's own timeout is for each read: a byte a second never meets it.
"""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

from lockship.host.channel import SocketLike

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Deadline:
    """A connected socket in the shape that `http.client` wants; `close` leaves it to its owner."""

    def __init__(self, sock: SocketLike, seconds: float) -> None:
        self._sock = sock
        self._end = time.monotonic() + seconds

    def sendall(self, data: Buffer) -> None:
        """See `SocketLike`."""
        self._hurry()
        self._sock.sendall(data)

    def recv(self, size: int) -> bytes:
        """See `SocketLike`; raises TimeoutError once the moment has come."""
        self._hurry()
        return self._sock.recv(size)

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002 - read only, as asked
        """Return a buffered reader of what the other side sends."""
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        """Do nothing: `http.client` closes before it has read an answer to its end."""

    def _hurry(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)


class _Reader(io.RawIOBase):
    def __init__(self, sock: Deadline) -> None:
        super().__init__()
        self._from = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._from.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)
