"""The sockets of a container, as the host's kernel tells them: proc(5), `/proc/PID/net/tcp`.

The kernel shows them to every login, so no root is needed and nothing runs in the container.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from lockship.host.errors import HostError
from lockship.host.server import Server
from lockship.host.types import Container

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# include/net/tcp_states.h: established; and closed by the server, with an answer still on its way.
_OPEN: Final = frozenset({0x01, 0x04})
_LISTEN: Final = 0x0A
_DOCKERS_DNS: Final = ipaddress.ip_address("127.0.0.11")


class Socket(Struct, frozen=True):
    """One line of the table; an IPv4 address in IPv6 is told as the IPv4 address that it is."""

    address: Address
    port: int
    peer: Address
    state: int


class Listening(Struct, frozen=True, order=True):
    """A port on which something listens. `reachable`: from outside of the container, too."""

    port: int
    reachable: bool


def sockets(server: Server, container: Container) -> tuple[Socket, ...] | None:
    """Return a running container's TCP sockets; None where the host lets nobody look.

    That is so on rootless engines and where /proc hides processes.
    """
    addresses, *tables = _tables(server, container, ("fib_trie", "tcp", "tcp6"))
    # Where the engine counts processes apart from the host, this would be somebody else's.
    if f"-- {container.address}\n" not in (addresses or "") or tables[0] is None:
        return None
    return tuple(found for table in tables if table for found in parsed(table))  # no IPv6: no tcp6


def count(found: Iterable[Socket], port: int, peer: str) -> int:
    """Count the open connections with this port here and this peer there."""
    there = ipaddress.ip_address(peer)
    return sum(each.state in _OPEN and each.port == port and each.peer == there for each in found)


def listening(found: Iterable[Socket]) -> tuple[Listening, ...]:
    """Return the ports on which something listens, Docker's own name server aside."""
    ports: dict[int, bool] = {}
    for each in found:
        if each.state == _LISTEN and each.address != _DOCKERS_DNS:
            ports[each.port] = ports.get(each.port, False) or not each.address.is_loopback
    return tuple(sorted(Listening(*item) for item in ports.items()))


def parsed(table: str) -> Iterator[Socket]:
    """Read `/proc/net/tcp` or `tcp6`.

    Its format: proc(5) and net/ipv4/tcp_ipv4.c; addresses are words in the host's byte order.
    """
    for line in table.splitlines()[1:]:
        fields = line.split()
        address, _, port = fields[1].partition(":")
        peer, _, _ = fields[2].partition(":")
        yield Socket(_read(address), int(port, 16), _read(peer), int(fields[3], 16))


def _tables(server: Server, container: Container, files: tuple[str, ...]) -> list[str | None]:
    paths = [f"/proc/{container.pid}/net/{name}" for name in files]
    try:
        found, _ = server.look(paths)
    except HostError as error:
        if error.kind == "file":
            return [None for _ in files]
        raise
    return [None if data is None else data.decode(errors="replace") for data in found]


def _read(text: str) -> Address:
    raw = bytes.fromhex(text)
    words = len(raw) // 4
    packed = struct.pack(f"={words}I", *struct.unpack(f">{words}I", raw))
    if words == 1:
        return ipaddress.IPv4Address(packed)
    address = ipaddress.IPv6Address(packed)
    return address.ipv4_mapped or address
