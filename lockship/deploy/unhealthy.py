"""What is said of a container that wasn't seen healthy: all that one would look for on its host."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from lockship.deploy.sockets import Listening, listening, sockets
from lockship.errors import LockshipError
from lockship.host.errors import HostError
from lockship.host.server import Server
from lockship.host.types import Container

_LOG_LINES: Final = 30


class ProbeFailed(LockshipError):  # noqa: N818 - a verdict on the container
    """A container wasn't seen healthy. `details` hold what came back and its last log lines."""


class Answer(Struct, frozen=True):
    """What one look at a container found. `final`: looking again would be no use."""

    good: bool
    said: str
    final: bool = False


class Asked(Struct, frozen=True):
    """What was asked, in words and on which port; how often, in how many seconds of which limit."""

    what: str
    port: int | None = None
    times: int = 1
    took: float = 0.0
    limit: float = 0.0


def unhealthy(server: Server, container: Container, answer: Answer, asked: Asked) -> ProbeFailed:
    """Return the error: question, answer, the container's state, its log, and what to do next."""
    ports = _listening(server, container) if asked.port is not None else None
    times = f"asked {asked.times} {'time' if asked.times == 1 else 'times'} in {asked.took:.1f} s"
    return ProbeFailed(
        f"{server.name}: {container.name} isn't healthy: {answer.said}",
        hint=_hint(container, answer, asked, ports),
        details=[
            f"asked: {asked.what}",
            f"answer: {answer.said}",
            times + (f" (limit {asked.limit:g} s)" if asked.limit else ""),
            _state(container),
            *([] if ports is None else [_told(ports)]),
            *_last_lines(server, container.name),
        ],
    )


def _state(container: Container) -> str:
    state = f"container: {container.state}"
    if container.state != "running":
        state += f", exit code {container.exit_code}"
    if container.restarts:
        times = "once" if container.restarts == 1 else f"{container.restarts} times"
        state += f", started again {times}"
    state += ", killed for lack of memory" if container.oom_killed else ""
    return state + (f", {container.error}" if container.error else "")


def _listening(server: Server, container: Container) -> tuple[Listening, ...] | None:
    """Return the ports on which something listens in it; None where that can't be seen."""
    try:
        found = sockets(server, container) if container.state == "running" else None
    except HostError:
        return None
    return None if found is None else listening(found)


def _told(ports: tuple[Listening, ...]) -> str:
    if not ports:
        return "nothing listens on a TCP port in the container"
    told = [f"{p.port}" if p.reachable else f"{p.port} (from inside only)" for p in ports]
    return f"in the container something listens on: {', '.join(told)}"


def _last_lines(server: Server, name: str) -> list[str]:
    try:
        lines = [line.decode(errors="replace") for line in server.logs(name, tail=_LOG_LINES)]
    except HostError as error:
        return [f"its log can't be read: {error.message}"]
    return [f"its last {len(lines)} log lines:", *lines] if lines else ["its log is empty"]


def _hint(
    container: Container, answer: Answer, asked: Asked, ports: tuple[Listening, ...] | None
) -> str:
    if container.oom_killed:
        return "give it more memory in lockship.toml, then lockship prepare"
    if container.state != "running" or "started again" in answer.said:
        return "its log says why it ended; try the image here: docker run"
    if asked.what.startswith("http") and answer.said.startswith("status 3"):
        return "set healthcheck.path to a page that doesn't redirect, or healthcheck.status"
    if asked.what.startswith("http") and answer.said.startswith("status"):
        return "set healthcheck.path or healthcheck.status to what the service answers"
    if "refused" in answer.said:
        return _port_hint(asked, ports)
    return "if it only needs longer, raise healthcheck.limit"


def _port_hint(asked: Asked, ports: tuple[Listening, ...] | None) -> str:
    if ports is None:
        return "does it listen on 0.0.0.0 and on this port? else set healthcheck.port"
    if any(each.port == asked.port for each in ports):
        return f"it listens on 127.0.0.1 only; let it listen on 0.0.0.0, port {asked.port}"
    others = [str(each.port) for each in ports if each.reachable]
    if others:
        return (
            f"it listens on {' and '.join(others)}, not on {asked.port}:"
            " set healthcheck.port, and [proxy] port where it's behind the proxy"
        )
    return "nothing listens there yet; if it only needs longer, raise healthcheck.limit"
