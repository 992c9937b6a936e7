"""Running a program in a container with this process's input, output and terminal."""

from __future__ import annotations

import json
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lockship.host import terminal
from lockship.host.channel import SocketLike
from lockship.host.streams import CHUNK, frames

if TYPE_CHECKING:
    import docker

_NO_STATUS = 255  # as ssh does


def execute(
    api: docker.APIClient,
    dial: Callable[[float], SocketLike],
    name: str,
    argv: Sequence[str],
    *,
    tty: bool,
    files: tuple[int, int, int],
    timeout: float,
) -> int:
    """Run a program in a running container and return its exit status.

    `files` are the descriptors of input, output and errors. With `tty` the program gets a terminal
    of this terminal's size, and both streams come on the output.
    """
    stdin, stdout, stderr = files
    run = api.exec_create(name, list(argv), stdin=True, tty=tty)["Id"]
    sock = dial(timeout)
    try:
        reader = _hijack(sock, f"/v{api.api_version}/exec/{run}/start", tty=tty)
        sock.settimeout(None)
        resize = _resizer(api, run) if tty else lambda: True
        with terminal.raw(stdin) if tty else _as_it_is(), _feeding(sock, stdin, resize):
            if tty:
                while data := reader.read1(CHUNK):
                    terminal.write_all(stdout, data)
            else:
                for stream, data in frames(reader.read):
                    terminal.write_all(stderr if stream == 2 else stdout, data)
    finally:
        sock.close()
    status = api.exec_inspect(run)["ExitCode"]
    return _NO_STATUS if status is None else int(status)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


def _resizer(api: docker.APIClient, run: str) -> Callable[[], bool]:
    """Return what tells the container this terminal's size, and whether it knows it."""
    from docker.errors import APIError

    told: list[tuple[int, int]] = []

    def resize() -> bool:
        now = terminal.size()
        if told != [now]:
            try:
                api.exec_resize(run, height=now[0], width=now[1])
            except APIError:  # the program hasn't quite started, or has just ended
                return False
            told[:] = [now]
        return True

    return resize


@contextmanager
def _feeding(sock: SocketLike, source: int, resize: Callable[[], bool]) -> Iterator[None]:
    """Send what comes from `source` while the block runs, from a thread."""
    wake, waker = os.pipe()
    feeder = threading.Thread(target=_feed, args=(sock, source, wake, resize), daemon=True)
    feeder.start()
    try:
        yield
    finally:
        os.close(waker)
        feeder.join()
        os.close(wake)


def _feed(sock: SocketLike, source: int, wake: int, resize: Callable[[], bool]) -> None:
    """Send until the end of `source`, or until the other end of `wake` is closed.

    Looks at the terminal's size now and then: a signal handler is no business of a thread.
    """
    sources = [source, wake]
    while True:
        known = resize()
        ready, _, _ = select.select(sources, [], [], 0.5 if known else 0.05)
        if wake in ready:
            return
        if source not in ready:
            continue
        try:
            data = os.read(source, CHUNK)
            if data:
                sock.sendall(data)
            else:
                sources.remove(source)
                sock.shutdown(socket.SHUT_WR)
        except OSError:
            return  # the program ended, or the connection did: whoever reads notices


def _hijack(sock: SocketLike, path: str, *, tty: bool) -> Any:
    """Send a request after which the connection is a raw stream; return its reader.

    Done by hand: an HTTP client's response object would keep the first bytes of the stream.
    """
    from docker.errors import APIError

    start: dict[str, Any] = {"Detach": False, "Tty": tty}
    if tty:  # known since API 1.42; `_resizer` tells it to older ones
        start["ConsoleSize"] = terminal.size()
    body = json.dumps(start).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n"
        f"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    sock.sendall(head.encode() + body)
    reader = sock.makefile("rb")
    status = reader.readline().split(maxsplit=2)
    fields = [line.lower() for line in iter(reader.readline, b"\r\n") if line]
    if len(status) < 2:
        raise EOFError("no answer")
    if status[1] not in (b"101", b"200"):
        length = next((int(f.split(b":")[1]) for f in fields if f.startswith(b"content-length")), 0)
        said = reader.read(length).decode(errors="replace")
        raise APIError("exec", explanation=str(json.loads(said).get("message", said)))
    return reader
