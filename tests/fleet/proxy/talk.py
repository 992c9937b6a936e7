"""A conversation over a WebSocket (RFC 6455) through the proxy, and how it ended."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_GOING_AWAY = b"\x88\x02\x03\xe9"
_PAUSE = 0.05


@dataclass
class Talk:
    """Says something every now and then and wants to hear it again, until it's told to go."""

    address: str
    host: str
    said: int = 0
    ended: float = 0.0
    """When the service said goodbye, by the monotonic clock; 0 while it hasn't."""
    failure: str | None = None

    def run(self, end: threading.Event) -> None:
        try:
            with socket.create_connection((self.address, 80), timeout=60) as connection:
                self._begin(connection)
                while not end.wait(_PAUSE):
                    if self._say(connection, f"{self.said}".encode()):
                        self.ended = time.monotonic()
                        return
                    self.said += 1
        except (OSError, AssertionError) as error:
            self.failure = f"after {self.said} messages: {error!r}"

    def _begin(self, connection: socket.socket) -> None:
        connection.sendall(
            f"GET /socket HTTP/1.1\r\nHost: {self.host}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            data = connection.recv(1)
            assert data, f"no handshake: {head!r}"
            head += data
        assert head.startswith(b"HTTP/1.1 101 "), head
        # The example of RFC 6455, 1.3.
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head, head

    def _say(self, connection: socket.socket, text: bytes) -> bool:
        """Say it and hear it; True where the other side says goodbye instead."""
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(text))
        connection.sendall(bytes([0x81, 0x80 | len(text)]) + mask + masked)
        heard, wanted = b"", bytes([0x81, len(text)]) + text
        while len(heard) < len(wanted):
            data = connection.recv(len(wanted) - len(heard))
            assert data, f"cut after {heard!r}"
            heard += data
            if _GOING_AWAY in heard:
                return True
        assert heard == wanted, heard
        return False


@contextmanager
def talking(address: str, host: str) -> Iterator[Talk]:
    """Talk until the end of the block, or until the service ends it."""
    talk, end = Talk(address, host), threading.Event()
    thread = threading.Thread(target=talk.run, args=(end,))
    thread.start()
    try:
        yield talk
    finally:
        end.set()
        thread.join()
