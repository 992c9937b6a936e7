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
    yield from _tls(proxy, table(tables.get("secrets")))
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


def _tls(proxy: Tables, secrets: Tables) -> Iterator[Problem]:
    """A certificate comes from one place, and is for host names that are known."""
    tls, at = table(proxy.get("tls")), ("proxy", "tls")
    if not isinstance(proxy.get("tls"), dict):
        return
    if not proxy.get("hosts"):
        yield Problem(("proxy", "hosts"), "nothing", "the names that the certificate is for")
    own = [key for key in ("certificate", "key") if key in tls]
    if tls.get("acme") is True and own:
        yield Problem((*at, own[0]), "this beside acme", "one of the two")
    elif tls.get("acme") is not True and len(own) < 2:
        missing = "key" if own == ["certificate"] else "certificate"
        expected = "certificate and key, names of secrets; or `acme = true`"
        yield Problem((*at, missing), "nothing", expected)
    if tls.get("acme") is True and "acme-email" not in table(proxy.get("server")):
        expected = "the address that the certificates' account is for"
        yield Problem(("proxy", "server", "acme-email"), "nothing", expected)
    for key in own:
        name = tls[key]
        if isinstance(name, str) and name not in secrets:
            yield Problem((*at, key), quoted(name), "a name in [secrets]")


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
        elif number in (server.get("http-port", 80), server.get("https-port")):
            yield Problem(path, quoted(metrics), "another port than http-port and https-port")
    if "https-port" in server and server["https-port"] == server.get("http-port", 80):
        expected = "another port than http-port"
        yield Problem(("proxy", "server", "https-port"), str(server["https-port"]), expected)


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
