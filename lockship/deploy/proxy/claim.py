"""Taking a route that no other service has: on a host one at a time looks and writes."""

from __future__ import annotations

import posixpath
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from lockship.deploy.mutex import Mutex, MutexHeld, hold
from lockship.errors import LockshipError
from lockship.host.server import Server

_LEASE: Final = 15.0  # seconds without a heartbeat after which the host lets go
_LIMIT: Final = 30.0  # seconds to wait for others, who take a moment each
_INTERVAL: Final = 0.1  # seconds between two tries


@contextmanager
def claiming(server: Server, folder: str, project: str) -> Iterator[None]:
    """Be the only one who claims a route on this host; `folder` is that of the route files.

    The deploys of two services hold different mutexes, so this is one more, for a moment.
    """
    with _taken(server, posixpath.join(posixpath.dirname(folder), "claims"), project):
        yield


def _taken(server: Server, path: str, project: str) -> Mutex:
    end = time.monotonic() + _LIMIT
    while True:
        try:
            return hold(server, path, msgspec.json.encode({"performer": project}), lease=_LEASE)
        except MutexHeld as error:
            if time.monotonic() >= end:
                raise LockshipError(
                    f"{server.name}: another service has been claiming a route for {_LIMIT:g} s.",
                    hint="Run `lockship deploy` again.",
                ) from error
        time.sleep(_INTERVAL)
