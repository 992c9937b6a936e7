"""What is said of a container that wasn't seen healthy: all that one would look for on its host."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import Final, Literal

from msgspec import Struct

from lockship.deploy import advice
from lockship.deploy.sockets import Listening, listening, sockets
from lockship.errors import LockshipError
from lockship.host.errors import HostError
from lockship.host.events import last_exit
from lockship.host.server import Server
from lockship.host.types import Container

_LOG_LINES: Final = 30
# What a shell, or the engine, says by an exit status.
_EXITS: Final = {126: "its program can't be executed", 127: "there is no such program"}
_KILLED: Final = 128  # and the signal's number


class ProbeFailed(LockshipError):  # noqa: N818 - a verdict on the container
    """A container wasn't seen healthy. `details` hold what came back and its last log lines."""


class Answer(Struct, frozen=True):
    """What one look at a container found. `final`: looking again would be no use.

    `target` is where a redirect leads; `body` what the answer itself says, where that is a text
    short enough to be read.
    """

    good: bool
    said: str
    final: bool = False
    status: int | None = None
    target: str = ""
    body: str = ""


class Asked(Struct, frozen=True):
    """What was asked, in words and on which port; how often, in how many seconds of which limit.

    `named`: the service was asked by a host name. `times` 0: it ended before it could be asked.
    """

    what: str
    kind: Literal["http", "tcp", "own", "up"]
    port: int | None = None
    named: bool = False
    times: int = 1
    took: float = 0.0
    limit: float = 0.0


def unhealthy(server: Server, container: Container, answer: Answer, asked: Asked) -> ProbeFailed:
    """Return the error: question, answer, the container's state, its log, and what to do next."""
    ports = _listening(server, container) if asked.port is not None else None
    state = [_state(server, container), *([] if ports is None else [_told(ports)])]
    failed = ProbeFailed(
        f"{server.name}: {container.name} isn't healthy: {answer.said}",
        hint=advice.advice(container, answer, asked, ports),
        details=[
            f"asked: {asked.what}",
            f"answer: {answer.said}",
            *(f"  | {line}" for line in answer.body.splitlines()),
            _times(asked),
            *state,
            *_last_lines(server, container.name),
        ],
    )
    # Hosts differ in a container's address; that it's the same failure all the same is told once.
    alike = "\n".join([asked.what, answer.said, answer.body, *state])
    failed.alike = alike.replace(container.address, "") if container.address else alike
    return failed


def _times(asked: Asked) -> str:
    if not asked.times:
        return f"it ended before it was asked, after {asked.took:.1f} s"
    times = "once" if asked.times == 1 else f"{asked.times} times"
    return f"asked {times} in {asked.took:.1f} s" + (
        f" (limit {asked.limit:g} s)" if asked.limit else ""
    )


def _state(server: Server, container: Container) -> str:
    state = f"container: {container.state}"
    if container.state != "running":
        state += f", {_exit(container.exit_code)}"
    if container.restarts:
        before = _exit_before(server, container)
        times = "once" if container.restarts == 1 else f"{container.restarts} times"
        state += f", ended with {_exit(before)}" if before is not None else ""
        state += f", started again {times}"
    state += ", killed for lack of memory" if container.oom_killed else ""
    return state + (f", {container.error}" if container.error else "")


def _exit(status: int) -> str:
    meaning = _EXITS.get(status, "")
    with suppress(ValueError):
        meaning = meaning or signal.Signals(status - _KILLED).name
    return f"exit code {status}" + (f" ({meaning})" if meaning else "")


def _exit_before(server: Server, container: Container) -> int | None:
    """Return how it ended before it was started again; None where that can't be seen."""
    try:
        inside = server.inside(container.name)
        return last_exit(inside, container) if container.state == "running" else None
    except (HostError, ValueError, LookupError, TypeError):
        return None


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
    """Return the log's last lines, each behind a bar: none can pass for a line of lockship's."""
    try:
        lines = [line.decode(errors="replace") for line in server.logs(name, tail=_LOG_LINES)]
    except HostError as error:
        return [f"its log can't be read: {error.message}"]
    if not lines:
        return ["its log is empty"]
    said = "its last log line:" if len(lines) == 1 else f"its last {len(lines)} log lines:"
    return [said, *(f"  | {line}" for line in lines)]
