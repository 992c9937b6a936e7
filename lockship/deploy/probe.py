"""Seeing a new container healthy before anything switches to it, from inside its host.

HTTP and TCP go through the SSH connection to the container's own address, so no port needs to be
published. A container that exits or restarts fails at once, whatever is probed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec

from lockship.deploy.ask import http_answer, words
from lockship.deploy.unhealthy import Answer, Asked, ProbeFailed, unhealthy
from lockship.errors import LockshipError
from lockship.host.server import Server
from lockship.host.types import Container
from lockship.lock.role import Healthcheck

_LAST_LOOK: Final = 1.0  # seconds
_FIRST_PAUSE: Final = 0.02  # seconds; twice as long after each try that fails, up to the interval
_HTTP_PORT: Final = 80  # where nothing says another one
_OWN: Final = "its HEALTHCHECK"


class Halted(LockshipError):  # noqa: N818
    """The probe was stopped because the deploy is: no verdict on the container."""


_Ask = Callable[[Container, float], Answer]


def probe(
    server: Server,
    container_name: str,
    healthcheck: Healthcheck | None,
    *,
    stop: threading.Event,
) -> None:
    """Wait until a container is healthy; with no `healthcheck`, until it has stayed up for 1 s.

    HTTP where the healthcheck has a path, TCP where it only has a port, else its own
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
    looks = times = successes = 0
    while True:
        now = _inspect(server, container_name) if looks else first
        left = wanted.limit - (time.monotonic() - begin)
        answer = _died(first, now)
        if answer is None:
            times += 1
            # The last look may begin just before the limit: it gets time enough for an answer, too.
            answer = ask(now, min(wanted.timeout, max(left, _LAST_LOOK)))
        if not answer.good and not answer.final:
            # What refused the connection may be a container that has just died: say that.
            now = _inspect(server, container_name)
            answer = _died(first, now) or answer
        looks += 1
        successes = successes + 1 if answer.good else 0
        if successes >= needed:
            return
        took = time.monotonic() - begin
        pause = wanted.interval
        if ask is not _stays_up and not successes:
            pause = min(pause, _FIRST_PAUSE * 2 ** min(looks, 10))
        if answer.final or took + pause > wanted.limit:
            break
        if stop.wait(pause):
            raise Halted(f"{server.name}: stopped probing {container_name}, as the deploy is")
    counted = msgspec.structs.replace(asked, times=times, took=took, limit=wanted.limit)
    raise unhealthy(server, now, answer, counted)


def confirm(server: Server, container_name: str, healthcheck: Healthcheck | None) -> None:
    """Raise ProbeFailed where a container that was healthy doesn't run any more.

    Or where its own HEALTHCHECK, if that is what `healthcheck` asks, says something else by now.
    """
    now = _inspect(server, container_name)
    if now.state != "running":
        said = f"it was, and now it is {now.state}"
        raise unhealthy(server, now, Answer(False, said), Asked("whether it still runs", "up"))
    own = healthcheck is not None and healthcheck.path is None and healthcheck.port is None
    if own and now.health == "unhealthy":
        said = f"it was, and now it is {_health(now)}"
        raise unhealthy(server, now, Answer(False, said), Asked(_OWN, "own"))


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
) -> tuple[Asked, _Ask]:
    """Return what is asked, in words, and how."""
    address = _bracketed(container.address or container.name)  # none where it isn't running
    if look_inside and wanted.path is not None:
        port = wanted.port or _only(container.exposed) or _HTTP_PORT

        def http_(now: Container, limit: float) -> Answer:
            return http_answer(server, now.address, port, wanted, limit)

        called = f" as {wanted.host}" if wanted.host else ""
        what = f"http://{address}:{port}{wanted.path}{called}"
        return Asked(what, "http", port, named=wanted.host is not None), http_
    if look_inside and wanted.port is not None:
        tcp_port = wanted.port

        def tcp(now: Container, limit: float) -> Answer:
            return _tcp(server, now.address, tcp_port, limit)

        return Asked(f"tcp://{address}:{tcp_port}", "tcp", tcp_port), tcp
    if look_inside and container.health is not None:
        return Asked(_OWN, "own"), _own_healthcheck
    return Asked("whether it stays up", "up"), _stays_up


def _died(first: Container, now: Container) -> Answer | None:
    if now.state not in ("running", "created"):
        return Answer(False, f"the container is {now.state}", final=True)
    if now.restarts > first.restarts or (first.started and now.started != first.started):
        return Answer(False, "the container ended and was started again", final=True)
    return None


def _tcp(server: Server, address: str, port: int, limit: float) -> Answer:
    try:
        server.dial(address, port, limit).close()
    except TimeoutError:
        return Answer(False, f"no connection within {limit:.3g} s")
    except OSError as error:
        return Answer(False, words(error))
    return Answer(True, "connected")


def _own_healthcheck(now: Container, limit: float) -> Answer:  # noqa: ARG001 - as _Ask
    # "unhealthy" isn't final: Docker says it to whoever starts slower than the image's retries
    # allow, and takes it back. How long to wait is the lock's limit.
    return Answer(now.health == "healthy", _health(now))


def _health(now: Container) -> str:
    return f"{now.health}" + (f": {now.health_output}" if now.health_output else "")


def _stays_up(now: Container, limit: float) -> Answer:  # noqa: ARG001
    return Answer(now.state == "running", f"the container is {now.state}")


def _only(ports: tuple[int, ...]) -> int | None:
    return ports[0] if len(ports) == 1 else None


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
