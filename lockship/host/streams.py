"""A container's output as lines."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import docker

_HEADER = struct.Struct(">BxxxL")  # stream (1 output, 2 error) and length of what follows
CHUNK = 1 << 15
_LONGEST = 1 << 20  # a longer line comes in several, so that memory stays bounded


def logs(
    api: docker.APIClient,
    name: str,
    *,
    tail: int | None,
    follow: bool,
    since: float | None,
    timestamps: bool,
    timeout: float,
) -> Iterator[bytes]:
    """Return a container's output line by line, both streams as they came."""
    from docker.errors import APIError

    tty = api.inspect_container(name)["Config"]["Tty"]
    params: dict[str, str] = {
        "stdout": "1",
        "stderr": "1",
        "follow": "1" if follow else "0",
        "tail": "all" if tail is None else str(tail),
        "timestamps": "1" if timestamps else "0",
    }
    if since is not None:
        params["since"] = f"{since:.9f}"
    response = api.get(
        f"{api.base_url}/v{api.api_version}/containers/{name}/logs",
        params=params,
        stream=True,
        timeout=(timeout, None if follow else timeout),
    )
    try:
        if response.status_code >= 400:
            raise APIError("logs", response, response.text)
        raw: Any = response.raw
        yield from lines(((1, data) for data in _pieces(raw)) if tty else frames(raw.read))
    finally:
        # Not `response.close()` alone: the connection has unread output and can't be used again.
        response.raw.close()
        response.close()


def _pieces(raw: Any) -> Iterator[bytes]:
    while data := raw.read1(CHUNK):
        yield data


def frames(read: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
    """Take Docker's multiplexed stream apart; `read(n)` returns n bytes, fewer only at the end.

    The format is in the Engine API's reference at `POST /containers/{id}/attach`.
    """
    while len(header := read(_HEADER.size)) == _HEADER.size:
        stream, length = _HEADER.unpack(header)
        while length and (data := read(min(length, CHUNK))):
            length -= len(data)
            yield stream, data
        if length:
            return


def lines(pieces: Iterator[tuple[int, bytes]]) -> Iterator[bytes]:
    """Join the pieces of each stream to whole lines, without their ends."""
    started: dict[int, bytes] = {}
    for stream, data in pieces:
        *whole, rest = (started.get(stream, b"") + data).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r")
        if len(rest) > _LONGEST:
            yield rest
            rest = b""
        started[stream] = rest
    yield from (rest for rest in started.values() if rest)
