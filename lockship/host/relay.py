"""A host's engine as a socket of this machine, for programs that know nothing of our connection.

The docker client speaks to it as to any engine. What goes through is the one SSH connection that
lockship has opened and whose host key it has checked.
"""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lockship.host.channel import SocketLike

_CHUNK: Final = 1 << 16
_DIAL: Final = 30.0  # seconds for the host to open a stream


@contextmanager
def relayed(dial: Callable[[float], SocketLike]) -> Iterator[str]:
    """Give the URL of a socket, for this user alone, that leads to where `dial` does."""
    with (
        tempfile.TemporaryDirectory(prefix="lockship-") as folder,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        path = Path(folder) / "docker.sock"
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=_accept, args=(listener, dial), daemon=True).start()
        try:
            yield f"unix://{path}"
        finally:
            # Wakes the thread that accepts; its connections end with the programs that made them.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, dial: Callable[[float], SocketLike]) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(near, dial), daemon=True).start()


def _serve(near: socket.socket, dial: Callable[[float], SocketLike]) -> None:
    """Pass bytes on in both directions until both have ended."""
    with near:
        try:
            far = dial(_DIAL)
        except Exception:  # noqa: BLE001 - the program sees its connection end, and says so
            return
        far.settimeout(None)
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()
        far.close()


def _pump(source: SocketLike, target: SocketLike) -> None:
    # Whatever ends one direction, the other end is told, and the other direction ends by itself.
    with contextlib.suppress(Exception):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    with contextlib.suppress(Exception):
        target.shutdown(socket.SHUT_WR)
