"""The engine that builds a lock's image: this machine's, or that of the lock's build host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lockship.host.engine import SILENCE, Engine, connect
from lockship.host.errors import login_words
from lockship.host.relay import relayed
from lockship.host.translate import boundary
from lockship.lock.model import Host, Lock


@contextmanager
def building_engine(lock: Lock) -> Iterator[Engine]:
    """Connect to the engine that builds. A build host is reached as any host: by its pinned key.

    Raises LockshipError where it doesn't answer.
    """
    name = lock.build.host
    limit = lock.deploy.connect_timeout
    where = connect() if name is None else engine_at(name, lock.hosts[name], limit)
    with where as engine:
        yield engine


@contextmanager
def engine_at(name: str, host: Host, limit: float) -> Iterator[Engine]:
    """Connect to the engine of a host, within `limit` seconds. Raises as `building_engine`."""
    login = login_words(name, host)
    with boundary(name, "ssh", limit, login):
        from lockship.host.dial import Client
        from lockship.host.login import open_link

        link = open_link(name, host, limit)
    try:
        with boundary(name, "its engine", limit, login):
            api = Client(link.dial_engine, SILENCE)
            api.agree()
        try:
            with relayed(link.dial_engine) as url:
                yield Engine(api, {"DOCKER_HOST": url})
        finally:
            api.close()
    finally:
        link.close()
