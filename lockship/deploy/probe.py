"""Seeing a new container healthy before anything switches to it, from inside its host.

HTTP and TCP go through the SSH connection to the container's own address, so no port needs to be
published. A container that exits or restarts fails at once, whatever is probed.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from lockship.errors import LockshipError
from lockship.host.errors import HostError
from lockship.host.server import Server
from lockship.host.types import Container
from lockship.lock.model import Healthcheck

_LOG_LINES: Final = 30
_LAST_LOOK: Final = 1.0  # seconds
_HTTP_PORT: Final = 80  # where nothing says another one


class ProbeFailed(LockshipError):  # noqa: N818 - a verdict on the container
    """A container wasn't seen healthy. `details` hold what came back and its last log lines."""


class Halted(LockshipError):  # noqa: N818
    """The probe was stopped because the deploy is: no verdict on the container."""


class _Answer(Struct, frozen=True):
    """What one look at a container found. `final`: looking again would be no use."""

    good: bool
    said: str
    final: bool = False


_Ask = Callable[[Container, float], _Answer]


def probe(
    server: Server,
    container_name: str,
    healthcheck: Healthcheck | None,
    *,
    stop: threading.Event,
) -> None:
    """Wait until a container is healthy; with no `healthcheck`, until it has stayed up for 1 s.

    HTTP where the healthcheck has a path, TCP where it only has a port, else the image's own
    HEALTHCHECK, else staying up for `interval` seconds times `successes`. Raises ProbeFailed when
    it isn't healthy within `limit` seconds, Halted when `stop` is set, HostError when the host
    itself fails.
    """
    wanted = healthcheck or Healthcheck()
    begin = time.monotonic()
    first = _inspect(server, container_name)
    asked, ask = _question(server, first, wanted, look_inside=healthcheck is not None)
    # Staying up is only seen at the end of an interval, so that takes one look more.
    needed = wanted.successes + (1 if ask is _stays_up else 0)
    tries = successes = 0
    answer = _Answer(False, "nothing was asked yet")
    while True:
        now = _inspect(server, container_name) if tries else first
        left = wanted.limit - (time.monotonic() - begin)
        # The last look may begin just before the limit: it gets time enough for an answer, too.
        answer = _died(first, now) or ask(now, min(wanted.timeout, max(left, _LAST_LOOK)))
        if not answer.good and not answer.final:
            # What refused the connection may be a container that has just died: say that.
            now = _inspect(server, container_name)
            answer = _died(first, now) or answer
        tries += 1
        successes = successes + 1 if answer.good else 0
        if successes >= needed:
            return
        took = time.monotonic() - begin
        if answer.final or took + wanted.interval > wanted.limit:
            break
        if stop.wait(wanted.interval):
            raise Halted(f"{server.name}: stopped probing {container_name}, as the deploy is")
    raise _failed(server, now, asked, answer, tries, took, wanted)


def confirm(server: Server, container_name: str) -> None:
    """Raise ProbeFailed where a container that was healthy doesn't run any more."""
    now = _inspect(server, container_name)
    if now.state != "running" or now.health == "unhealthy":
        said = f"it was, and now it is {now.health if now.state == 'running' else now.state}"
        asked = "whether it still runs"
        raise _failed(server, now, asked, _Answer(False, said), 1, 0.0, Healthcheck())


def _inspect(server: Server, name: str) -> Container:
    found = server.container(name)
    if found is None:
        raise ProbeFailed(
            f"{server.name}: the container {name} is gone: someone removed it while it was probed",
            hint="run the same command again",
        )
    return found


def _question(
    server: Server, container: Container, wanted: Healthcheck, *, look_inside: bool
) -> tuple[str, _Ask]:
    """Return what is asked, in words, and how."""
    address = _bracketed(container.address)
    if look_inside and wanted.path is not None:
        port = wanted.port or _only(container.exposed) or _HTTP_PORT
        path = wanted.path

        def http_(now: Container, limit: float) -> _Answer:
            return _http(server, now.address, port, path, wanted.status, limit)

        return f"http://{address}:{port}{path}", http_
    if look_inside and wanted.port is not None:
        tcp_port = wanted.port

        def tcp(now: Container, limit: float) -> _Answer:
            return _tcp(server, now.address, tcp_port, limit)

        return f"tcp://{address}:{tcp_port}", tcp
    if look_inside and container.health is not None:
        return "the image's HEALTHCHECK", _own_healthcheck
    return "whether it stays up", _stays_up


def _died(first: Container, now: Container) -> _Answer | None:
    if now.state not in ("running", "created"):
        return _Answer(False, f"the container is {now.state}", final=True)
    if now.restarts > first.restarts or (first.started and now.started != first.started):
        return _Answer(False, "the container ended and was started again", final=True)
    return None


def _http(
    server: Server, address: str, port: int, path: str, expected: tuple[int, ...], limit: float
) -> _Answer:
    connection = http.client.HTTPConnection(address, port, timeout=limit)
    try:
        connection.sock = server.dial(address, port, limit)
        headers = {"User-Agent": "lockship-probe", "Connection": "close", "Accept": "*/*"}
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        target = response.getheader("Location")
        said = f"status {response.status} {response.reason}".rstrip()
        said += f" to {target}" if target else ""
        return _Answer(response.status in expected, said)
    except TimeoutError:
        return _Answer(False, f"no answer within {limit:.3g} s")
    except http.client.HTTPException as error:
        return _Answer(False, f"not an HTTP answer: {error or type(error).__name__}")
    except OSError as error:
        return _Answer(False, _words(error))
    finally:
        connection.close()


def _tcp(server: Server, address: str, port: int, limit: float) -> _Answer:
    try:
        server.dial(address, port, limit).close()
    except TimeoutError:
        return _Answer(False, f"no connection within {limit:.3g} s")
    except OSError as error:
        return _Answer(False, _words(error))
    return _Answer(True, "connected")


def _own_healthcheck(now: Container, limit: float) -> _Answer:  # noqa: ARG001 - as _Ask
    said = f"{now.health}" + (f": {now.health_output}" if now.health_output else "")
    # "unhealthy" isn't final: Docker says it to whoever starts slower than the image's retries
    # allow, and takes it back. How long to wait is the lock's limit.
    return _Answer(now.health == "healthy", said)


def _stays_up(now: Container, limit: float) -> _Answer:  # noqa: ARG001
    return _Answer(now.state == "running", f"the container is {now.state}")


def _failed(
    server: Server,
    container: Container,
    asked: str,
    answer: _Answer,
    tries: int,
    took: float,
    wanted: Healthcheck,
) -> ProbeFailed:
    state = f"container: {container.state}"
    if container.state != "running":
        state += f", exit code {container.exit_code}"
    state += ", killed for lack of memory" if container.oom_killed else ""
    state += f", {container.error}" if container.error else ""
    details = [
        f"asked: {asked}",
        f"answer: {answer.said}",
        f"asked {tries} {'time' if tries == 1 else 'times'} in {took:.1f} s"
        f" (limit {wanted.limit:g} s)",
        state,
        *_last_lines(server, container.name),
    ]
    return ProbeFailed(
        f"{server.name}: {container.name} isn't healthy: {answer.said}",
        hint=_hint(container, answer, asked),
        details=details,
    )


def _last_lines(server: Server, name: str) -> list[str]:
    try:
        lines = [line.decode(errors="replace") for line in server.logs(name, tail=_LOG_LINES)]
    except HostError as error:
        return [f"its log can't be read: {error.message}"]
    return [f"its last {len(lines)} log lines:", *lines] if lines else ["its log is empty"]


def _hint(container: Container, answer: _Answer, asked: str) -> str:
    if container.oom_killed:
        return "give it more memory in lockship.toml, then lockship prepare"
    if container.state != "running" or "started again" in answer.said:
        return "its log says why it ended; try the image here: docker run"
    if asked.startswith("http") and answer.said.startswith("status 3"):
        return "set healthcheck.path to a page that doesn't redirect, or healthcheck.status"
    if asked.startswith("http") and answer.said.startswith("status"):
        return "set healthcheck.path or healthcheck.status to what the service answers"
    if "refused" in answer.said:
        return "does it listen on 0.0.0.0 and on this port? else set healthcheck.port"
    return "if it only needs longer, raise healthcheck.limit"


def _only(ports: tuple[int, ...]) -> int | None:
    return ports[0] if len(ports) == 1 else None


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _words(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
