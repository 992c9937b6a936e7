"""Waiting for the proxy's requests at a container to end, seen in the kernel's table of sockets.

The proxy counts no requests in flight for each service, so its connections are counted. It closes
an idle one after `route.IDLE_TIMEOUT`: none left means that no request is.
"""

from __future__ import annotations

import time
from typing import Final

from lockship.deploy.proxy.container import NAME
from lockship.deploy.sockets import count, sockets
from lockship.host import questions
from lockship.host.server import Server
from lockship.host.types import Container

_INTERVAL: Final = 0.05  # seconds between two looks
_CALM: Final = 3  # looks in a row that must find none


def drain(server: Server, name: str, port: int, limit: float) -> None:
    """Wait until the proxy has no connection to a container's port, at most `limit` seconds.

    Where the host lets nobody look (rootless engines, hidden processes), all of `limit` is waited.
    """
    container, proxy = server.ask(questions.container(name), questions.container(NAME))
    if container is None or container.state != "running" or proxy is None or not proxy.address:
        return
    end = time.monotonic() + limit
    calm = 0
    while time.monotonic() < end:
        found = connections(server, container, port, proxy.address)
        if found is None and not _runs(server, name):
            return
        calm = calm + 1 if found == 0 else 0
        if calm == _CALM:
            return
        time.sleep(min(_INTERVAL, max(0.0, end - time.monotonic())))


def connections(server: Server, container: Container, port: int, peer: str) -> int | None:
    """Return how many connections to a container's port come from `peer`; None: can't be seen."""
    found = sockets(server, container)
    return None if found is None else count(found, port, peer)


def _runs(server: Server, name: str) -> bool:
    found = server.container(name)
    return found is not None and found.state == "running"
