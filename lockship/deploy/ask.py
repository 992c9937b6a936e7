"""Asking a container by HTTP, as a probe does: what came back, in words that can be shown."""

from __future__ import annotations

import http.client
import socket
from typing import Final, cast

from lockship.deploy.unhealthy import Answer
from lockship.host.deadline import Deadline
from lockship.host.server import Server
from lockship.lock.role import Healthcheck

_LONGEST: Final = 300  # characters of a status line or a target
_BODY: Final = 1000  # bytes; what is longer is a page, and nobody reads that in an error
_READABLE: Final = ("text/plain", "application/json", "application/problem+json")


def http_answer(
    server: Server, address: str, port: int, wanted: Healthcheck, limit: float
) -> Answer:
    """Ask once, for at most `limit` seconds, however slowly the answer comes."""
    connection = http.client.HTTPConnection(address, port, timeout=limit)
    dialled = None
    try:
        dialled = server.dial(address, port, limit)
        connection.sock = cast(socket.socket, Deadline(dialled, limit))
        headers = {"User-Agent": "lockship-probe", "Connection": "close", "Accept": "*/*"}
        if wanted.host:
            headers["Host"] = wanted.host
        connection.request("GET", wanted.path or "/", headers=headers)
        response = connection.getresponse()
        good = response.status in wanted.status
        target = response.getheader("Location") or ""
        said = _short(f"status {response.status} {response.reason}".rstrip())
        said += f" to {_short(target)}" if target else ""
        body = "" if good else _body(response)
        return Answer(good, said, status=response.status, target=target, body=body)
    except TimeoutError:
        return Answer(False, f"no answer within {limit:.3g} s")
    except http.client.HTTPException as error:
        return Answer(False, f"not an HTTP answer: {_short(str(error)) or type(error).__name__}")
    except OSError as error:
        return Answer(False, words(error))
    finally:
        connection.close()
        if dialled is not None:
            dialled.close()


def words(error: OSError) -> str:
    """Return what an error of a socket says."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def _body(response: http.client.HTTPResponse) -> str:
    """Return what an answer says; '' where it's a page, too long, or never comes to its end.

    It's all or nothing: of a value that was cut in its middle nobody could tell that it's a secret.
    """
    kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    if kind not in _READABLE:
        return ""
    try:
        data = response.read(_BODY + 1)
    except (OSError, http.client.HTTPException):
        return ""
    return data.decode(errors="replace").strip() if len(data) <= _BODY else ""


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
