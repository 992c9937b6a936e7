"""An SSH channel in the shape of a socket, as `http.client` and `urllib3` want one."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import paramiko
    from typing_extensions import Buffer

CHUNK = 1 << 15  # one SSH packet: paramiko copies what doesn't fit into one


class SocketLike(Protocol):  # documented in Python's own `socket`
    """What is used of a connected stream socket."""

    def sendall(self, data: Buffer, /) -> None:
        """Like `socket.socket.sendall`."""

    def recv(self, size: int, /) -> bytes:
        """Like `socket.socket.recv`."""

    def settimeout(self, seconds: float | None, /) -> None:
        """Like `socket.socket.settimeout`."""

    def makefile(self, mode: Any, buffering: Any = ..., /) -> Any:
        """Like `socket.socket.makefile`."""

    def shutdown(self, how: int, /) -> None:
        """Like `socket.socket.shutdown`."""

    def close(self) -> None:
        """Like `socket.socket.close`."""


class ChannelSocket:
    """A channel as a socket. A closed one raises BrokenPipeError, as a socket's `sendall` does.

    One that ended without a single byte tells why instead, to who writes as to who reads: it may
    have been opened long before, and its program may have ended at once.

    Like a socket, it stays open until it and all its readers are closed: `http.client` closes its
    socket before it has read a response that ends with the connection.
    """

    def __init__(
        self,
        channel: paramiko.Channel,
        silent: Callable[[paramiko.Channel], Exception] | None = None,
    ) -> None:
        """`silent` makes the error for a channel that ends without a single byte."""
        self.channel = channel
        self._silent = silent
        self._readers = 0
        self._closed = False

    def sendall(self, data: Buffer) -> None:
        """See `SocketLike`."""
        view = memoryview(data).cast("B")
        while view:
            try:
                sent = self.channel.send(bytes(view[:CHUNK]))
            except TimeoutError:
                raise
            except OSError as error:
                raise self._ended() from error
            if not sent:
                raise self._ended()
            view = view[sent:]

    def _ended(self) -> Exception:
        if self._silent and not self.channel.recv_ready():
            return self._silent(self.channel)
        return BrokenPipeError(32, "the other side closed the connection")

    def recv(self, size: int) -> bytes:
        """See `SocketLike`."""
        data = self.channel.recv(size)
        if data:
            self._silent = None
        elif self._silent:
            raise self._silent(self.channel)
        return data

    def settimeout(self, seconds: float | None) -> None:
        """See `SocketLike`."""
        self.channel.settimeout(seconds)

    def makefile(self, mode: str, buffering: int = -1) -> io.BufferedReader:  # noqa: ARG002
        """Return a buffered reader of what the other side sends."""
        self._readers += 1
        return io.BufferedReader(_Reader(self), CHUNK if buffering < 2 else buffering)

    def shutdown(self, how: int) -> None:
        """See `SocketLike`."""
        if how in (socket.SHUT_WR, socket.SHUT_RDWR) and not self.channel.closed:
            self.channel.shutdown_write()

    def close(self) -> None:
        """See `SocketLike`."""
        self._closed = True
        if not self._readers:
            self.channel.close()

    def release(self) -> None:
        """One reader was closed."""
        self._readers -= 1
        if self._closed and not self._readers:
            self.channel.close()

    @property
    def ended(self) -> bool:
        """Whether the other side is known to have closed."""
        return bool(self.channel.closed or self.channel.eof_received)


class _Reader(io.RawIOBase):
    def __init__(self, sock: ChannelSocket) -> None:
        super().__init__()
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._sock.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._sock.release()
