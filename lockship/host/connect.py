"""Reaching a host: over SSH, or this machine's own engine when its name is `local`."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from lockship.host import engine_address
from lockship.host.errors import login_words
from lockship.host.server import Server
from lockship.host.translate import boundary
from lockship.lock.model import LOCAL, Host


def load_libraries(hosts: Iterable[str]) -> None:
    """Load what connecting to these hosts needs, and the Docker SDK: it takes as long as they do.

    Meant for a thread of its own, beside connecting.
    """
    over_ssh = ["lockship.host.login"] if any(host != LOCAL for host in hosts) else []
    for module in (*over_ssh, "lockship.host.dial"):
        import_module(module)


def connect(name: str, host: Host, *, timeout: float) -> Server:
    """Connect to a host within `timeout` seconds, checking its key against the lock's.

    Raises HostError when it can't be reached, freezes, shows another key or refuses the login. The
    engine is not spoken to yet: the first call on the server does.
    """
    if name == LOCAL:
        return local(name)
    login = login_words(name, host)
    with boundary(name, "ssh", timeout, login):
        from lockship.host.login import open_link

        return Server(name, open_link(name, host, timeout), login=login)


def local(name: str = LOCAL) -> Server:
    """Return this machine as a server, with the engine that the docker command would use.

    Raises UsageError when that one is on another machine, behind ssh.
    """
    from lockship.host.local import LocalLink

    return Server(name, LocalLink(name, engine_address.find()))
