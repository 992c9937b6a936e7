"""Reaching a host: over SSH, or this machine's own engine when its name is `local`."""

from __future__ import annotations

import os

from lockship.errors import UsageError
from lockship.host.server import Server
from lockship.host.translate import boundary
from lockship.lock.model import LOCAL, Host


def connect(name: str, host: Host, *, timeout: float) -> Server:
    """Connect to a host within `timeout` seconds, checking its key against the lock's.

    Raises HostError when it can't be reached, freezes, shows another key or refuses the login. The
    engine is not spoken to yet: the first call on the server does.
    """
    if name == LOCAL:
        return local(name)
    with boundary(name, "ssh", timeout):
        from lockship.host.ssh import open_link

        return Server(name, open_link(name, host, timeout))


def local(name: str = LOCAL) -> Server:
    """Return this machine as a server: DOCKER_HOST, else the docker command's current context."""
    from lockship.host.local import LocalLink

    address = engine_address()
    if not address.startswith("unix://"):
        raise UsageError(
            f"the host 'local' must be an engine on this machine, but Docker points to {address}",
            hint="name that server as a host in lockship.toml, or unset DOCKER_HOST",
        )
    return Server(name, LocalLink(name, address.removeprefix("unix://")))


def engine_address() -> str:
    """Return where the docker command would find its engine, as a URL."""
    address = os.environ.get("DOCKER_HOST")
    if address:
        return address
    from docker.context import ContextAPI

    context = ContextAPI.get_current_context()
    return str((context.Host if context else None) or "unix:///var/run/docker.sock").replace(
        "http+unix://", "unix://"
    )
