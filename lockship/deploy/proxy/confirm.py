"""Asking the proxy itself what it serves, through the connection to the host."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

import msgspec

from lockship.deploy.proxy import route
from lockship.deploy.proxy.container import API_PORT, HTTPS, NAME
from lockship.deploy.proxy.handshake import shown_certificate
from lockship.errors import LockshipError
from lockship.host.burst import next_answer, request
from lockship.host.channel import SocketLike
from lockship.host.errors import HostError
from lockship.host.server import Server
from lockship.host.types import Container

LIMIT: Final = 20.0  # seconds in which the proxy must answer, and serve what its files say
CERTIFICATE_LIMIT: Final = 6.0  # seconds to show a certificate, once its route is served
_TRY: Final = 5.0  # seconds for one request
_INTERVAL: Final = 0.05  # seconds between two
_LOG_LINES: Final = 15


class NotServed(LockshipError):  # noqa: N818 - what is wrong with the proxy
    """The proxy doesn't answer, or doesn't serve what its files say."""


def wait_ready(server: Server, name: str = NAME) -> None:
    """Wait until the proxy answers. Raises NotServed with its last log lines."""
    _wait(server, name, lambda address: _get(server, address, "/ping") is not None, "isn't ready")


def wait_serving(server: Server, project: str, content: str) -> None:
    """Wait until the proxy serves a route file's content. Raises NotServed."""

    def serves(address: str) -> bool:
        told = _get(server, address, "/api/rawdata")
        return told is not None and is_served(msgspec.json.decode(told), project, content)

    _wait(server, NAME, serves, f"doesn't serve the route of {project}")


def way_to(server: Server, proxy: Container | None) -> SocketLike | None:
    """Open a connection to the proxy's API, for `sees`; None where there is no way to it now."""
    if proxy is None or not proxy.address:
        return None
    try:
        return server.dial(proxy.address, API_PORT, _TRY)
    except OSError:
        return None


def sees(asked: SocketLike, project: str, content: str) -> bool:
    """Ask the proxy through `asked` until it serves a route file's content; False: not for long.

    Each request follows the one before without waiting for its answer: from far away the answer
    that says yes comes one round trip after it is so, and not up to two.
    """
    ended = threading.Event()

    def ask() -> None:
        with suppress(OSError):
            while not ended.is_set():
                asked.sendall(request("/api/rawdata"))
                ended.wait(_INTERVAL)

    try:
        asked.settimeout(_TRY)
        threading.Thread(target=ask, daemon=True).start()
        with asked.makefile("rb") as reader:
            end = time.monotonic() + _TRY
            while time.monotonic() < end:
                answer = next_answer(reader)
                if answer.status == HTTPStatus.OK and is_served(
                    msgspec.json.decode(answer.body), project, content
                ):
                    return True
    except (OSError, http.client.HTTPException, msgspec.MsgspecError):
        pass  # whoever asks in the ordinary way then tells what is wrong
    finally:
        ended.set()
        asked.close()
    return False


def wait_certificate(server: Server, name: str, certificate: bytes) -> None:
    """Wait until the proxy shows a certificate (DER) to who asks for a host name.

    Raises NotServed: the key may not be the certificate's, or is none that the proxy can read.
    """

    def shows(address: str) -> bool:
        if not address:
            return False
        connection = server.dial(address, HTTPS, _TRY)
        try:
            return shown_certificate(connection, name) == certificate
        finally:
            connection.close()

    what = f"doesn't show the certificate of {name} (is the key that one's?)"
    _wait(server, NAME, shows, what, CERTIFICATE_LIMIT)


def wait_gone(server: Server, project: str) -> None:
    """Wait until the proxy serves nothing of a project any more. Raises NotServed."""

    def gone(address: str) -> bool:
        told = _get(server, address, "/api/rawdata")
        return told is not None and not _routers(msgspec.json.decode(told), project)

    _wait(server, NAME, gone, f"still serves {project}")


def is_served(told: Mapping[str, Any], project: str, content: str) -> bool:
    """Tell from `GET /api/rawdata` whether the proxy serves what a route file says, all of it."""
    wanted, to = route.routers_of(content), route.upstream_of(content)
    found = _routers(told, project)
    service = (told.get("services") or {}).get(f"{project}@file") or {}
    servers = (service.get("loadBalancer") or {}).get("servers") or []
    return (
        found.keys() == wanted.keys()
        and all(_same(found[name], wanted[name]) for name in wanted)
        and service.get("status") == "enabled"
        and [each.get("url") for each in servers] == ([route.upstream_url(to)] if to else [])
    )


def _routers(told: Mapping[str, Any], project: str) -> dict[str, Mapping[str, Any]]:
    routers = (told.get("routers") or {}).items()
    ours = {name.removesuffix("@file"): each for name, each in routers if name.endswith("@file")}
    return {name: each for name, each in ours.items() if name.partition("_")[2] == project}


def _same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    middlewares = [str(name).removesuffix("@file") for name in found.get("middlewares") or ()]
    return (
        found.get("status") == "enabled"
        and middlewares == list(wanted.get("middlewares") or ())
        and all(found.get(key) == wanted.get(key) for key in ("rule", "priority"))
    )


def _wait(
    server: Server, name: str, done: Callable[[str], bool], what: str, limit: float = LIMIT
) -> None:
    begin = time.monotonic()
    address = ""
    while time.monotonic() - begin < limit:
        if not address:
            address = _address(server, name, what)
        try:
            if done(address):
                return
        except (OSError, http.client.HTTPException, msgspec.MsgspecError):
            address = ""  # it may have been started again, with another address
        time.sleep(_INTERVAL)
    raise _failed(server, name, f"{what} after {limit:g} s")


def _address(server: Server, name: str, what: str) -> str:
    found = server.container(name)
    if found is None or found.state in ("exited", "dead", "removing"):
        raise _failed(server, name, f"{what}: it is {found.state if found else 'gone'}")
    return found.address


def _get(server: Server, address: str, path: str) -> bytes | None:
    """Return the body of a 200; None for another status, or where there is no address yet."""
    if not address:
        return None
    connection = http.client.HTTPConnection(address, API_PORT, timeout=_TRY)
    try:
        connection.sock = server.dial(address, API_PORT, _TRY)
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        body = response.read()
        return body if response.status == 200 else None
    finally:
        connection.close()


def _failed(server: Server, name: str, what: str) -> NotServed:
    try:
        lines = [line.decode(errors="replace") for line in server.logs(name, tail=_LOG_LINES)]
    except HostError:
        lines = []
    return NotServed(
        f"{server.name}: the proxy {what}",
        details=["its last log lines:", *lines] if lines else (),
        hint="See `lockship proxy status`; `lockship proxy reboot` makes its container anew.",
    )
