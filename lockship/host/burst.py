"""HTTP requests that don't wait for one another, on one connection: one round trip for all.

A server answers them in their order (RFC 9112, 9.3.2); the Docker engine's, which is Go's, does.
"""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from lockship.host.channel import SocketLike


class Answer(Struct, frozen=True):
    """One answer; `version` is the newest API version of the engine that gave it, if it told."""

    status: int
    version: str
    body: bytes


def get_all(sock: SocketLike, paths: Sequence[str]) -> list[Answer]:
    """GET all of these paths; return the answers in the same order."""
    sock.sendall(b"".join(map(request, paths)))
    with sock.makefile("rb") as reader:
        return [next_answer(reader) for _ in paths]


def request(path: str) -> bytes:
    """Return the bytes of a request to GET a path."""
    return f"GET {path} HTTP/1.1\r\nHost: lockship\r\n\r\n".encode()


def next_answer(reader: Any) -> Answer:
    """Read the next answer. Raises http.client.HTTPException where it is none."""
    response = http.client.HTTPResponse(_Several(reader), method="GET")  # type: ignore[arg-type]
    response.begin()
    version = response.getheader("Api-Version") or ""
    return Answer(response.status, version, response.read())


class _Several:
    """A reader in the shape of a socket that stays open after one answer was read from it."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def makefile(self, *_: object) -> _Several:
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def close(self) -> None:
        """The next answer follows."""
