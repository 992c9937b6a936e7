"""Waiting for the proxy's requests at a container to end, seen in the kernel's table of sockets.

The proxy counts no requests in flight for each service, so its connections are counted. It closes
an idle one after `route.IDLE_TIMEOUT`: none left means that no request is.
"""

from __future__ import annotations

import ipaddress
import struct
import time
from typing import Final

from lockship.deploy.proxy.container import NAME
from lockship.host.errors import HostError
from lockship.host.server import Server
from lockship.host.types import Container

_INTERVAL: Final = 0.1  # seconds between two looks
_CALM: Final = 3  # looks in a row that must find none
# include/net/tcp_states.h: established; and closed by the server, with an answer still on its way.
_OPEN: Final = frozenset({0x01, 0x04})


def drain(server: Server, name: str, port: int, limit: float) -> None:
    """Wait until the proxy has no connection to a container's port, at most `limit` seconds.

    Where the host lets nobody look (rootless engines, hidden processes), all of `limit` is waited.
    """
    container, proxy = server.container(name), server.container(NAME)
    if container is None or container.state != "running" or proxy is None or not proxy.address:
        return
    end = time.monotonic() + limit
    calm = 0
    while calm < _CALM and time.monotonic() < end:
        found = connections(server, container, port, proxy.address)
        if found is None and not _runs(server, name):
            return
        calm = calm + 1 if found == 0 else 0
        time.sleep(min(_INTERVAL, max(0.0, end - time.monotonic())))


def connections(server: Server, container: Container, port: int, peer: str) -> int | None:
    """Return how many connections to a container's port come from `peer`; None: can't be seen."""
    files = [_table(server, container, name) for name in ("fib_trie", "tcp", "tcp6")]
    addresses, *tables = files
    # Where the engine counts processes apart from the host, this would be somebody else's.
    if f"-- {container.address}\n" not in (addresses or "") or tables[0] is None:
        return None
    return sum(count(table, port, peer) for table in tables if table)  # IPv6 may be switched off


def _table(server: Server, container: Container, name: str) -> str | None:
    try:
        data = server.read_file(f"/proc/{container.pid}/net/{name}")
    except HostError as error:
        if error.kind == "file":
            return None
        raise
    return None if data is None else data.decode(errors="replace")


def _runs(server: Server, name: str) -> bool:
    found = server.container(name)
    return found is not None and found.state == "running"


def count(table: str, port: int, peer: str) -> int:
    """Count the open connections of `/proc/net/tcp` or `tcp6` with this port here, this peer there.

    Its format: proc(5) and net/ipv4/tcp_ipv4.c; addresses are words in the host's byte order.
    """
    wanted = ipaddress.ip_address(peer)
    found = 0
    for line in table.splitlines()[1:]:
        fields = line.split()
        _, _, local_port = fields[1].partition(":")
        remote, _, _ = fields[2].partition(":")
        if int(fields[3], 16) in _OPEN and int(local_port, 16) == port:
            found += _read(remote) == wanted
    return found


def _read(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    raw = bytes.fromhex(text)
    words = len(raw) // 4
    packed = struct.pack(f"={words}I", *struct.unpack(f">{words}I", raw))
    if words == 1:
        return ipaddress.IPv4Address(packed)
    address = ipaddress.IPv6Address(packed)
    return address.ipv4_mapped or address
