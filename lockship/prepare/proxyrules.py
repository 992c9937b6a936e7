"""What must hold between the values of `[proxy]`, and between them and the roles."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from lockship.lock.shape import Problem
from lockship.prepare.tables import Tables, quoted, roles, strings, table


def check(tables: Tables) -> Iterator[Problem]:
    """Yield what breaks a rule of the proxy."""
    yield from _role(tables)
    proxy = table(tables.get("proxy"))
    if proxy.get("strip-prefix") is True and not proxy.get("path-prefixes"):
        yield Problem(
            ("proxy", "path-prefixes"), "nothing", "what is to be stripped, because of strip-prefix"
        )
    if proxy.get("buffering") is False and "max-body" in proxy:
        yield Problem(
            ("proxy", "buffering"), "false", "true: a body is read whole to be measured by max-body"
        )
    yield from _server(table(proxy.get("server")))


def _role(tables: Tables) -> Iterator[Problem]:
    """One role is behind the proxy, if there is one, and its ports are the proxy's business."""
    behind = [(path, role) for path, role in roles(tables) if role.get("proxy") is True]
    if "proxy" in tables and not behind:
        yield Problem(("proxy",), "no role behind the proxy", "`proxy = true` in one role")
    if behind and "proxy" not in tables:
        at = (*behind[0][0], "proxy")
        yield Problem(at, "true", "a [proxy] table that says what is sent here")
    for path, _ in behind[1:]:
        yield Problem((*path, "proxy"), "true", f"one role behind the proxy: {behind[0][0][1]} is")
    for path, role in behind:
        if role.get("ports"):
            expected = "no published ports: the proxy reaches a container without"
            yield Problem((*path, "ports"), "ports", expected)
        if role.get("order") == "stop-first":
            expected = '"start-first": the proxy never switches to what doesn\'t run yet'
            yield Problem((*path, "order"), '"stop-first"', expected)


def _server(server: Tables) -> Iterator[Problem]:
    """Addresses exist, and no two of the proxy's ports are the same one.

    The proxy itself would only say so when it is started, on every host.
    """
    for index, text in strings(server.get("trusted")):
        if not _is_network(text):
            expected = "an address or a network, such as '10.0.0.0/8'"
            yield Problem(("proxy", "server", "trusted", index), quoted(text), expected)
    metrics = server.get("metrics")
    if isinstance(metrics, str):
        address, _, port = metrics.rpartition(":")
        path = ("proxy", "server", "metrics")
        number = int(port) if port.isdecimal() else 0
        if not _is_network(address.strip("[]")) or not 1 <= number <= 65535:
            yield Problem(path, quoted(metrics), "an address with a port, such as '127.0.0.1:9100'")
        elif number == server.get("http-port", 80):
            yield Problem(path, quoted(metrics), "another port than http-port")


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
