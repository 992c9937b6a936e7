"""Logs of the running containers, and commands in one of them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence

from lockship.deploy import names
from lockship.deploy.fleet import connected, each, used_hosts
from lockship.errors import LockshipError
from lockship.host.server import Server
from lockship.host.types import Container
from lockship.lock.model import Lock
from lockship.progress import Report, quiet

Line = tuple[str, str, bytes]  # host, container, the line without its end


def logs(
    lock: Lock,
    *,
    role: str | None = None,
    host: str | None = None,
    follow: bool = False,
    tail: int | None = 100,
    stop: threading.Event,
    report: Report = quiet,
) -> Iterator[Line]:
    """Yield the containers' log lines; with `follow`, of all hosts as they come, until `stop`.

    Raises LockshipError where a host can't be reached or no container is there.
    """
    with connected(lock, used_hosts(lock, role, host), report) as opened:
        opened.values_or_raise("Not every host can be reached.")
        servers = opened.done
        found = each(servers, lambda h: _of_project(servers[h], lock, role), parallel=len(servers))
        pairs = [
            (servers[h], c)
            for h, c in zip(
                found.done, found.values_or_raise("Not every host answers."), strict=True
            )
        ]
        sources = [(server, c.name) for server, several in pairs for c in several]
        if not sources:
            raise LockshipError("No container is there.", hint="See `lockship status`.")
        yield from merged(sources, follow=follow, tail=tail, stop=stop)


def merged(
    sources: Sequence[tuple[Server, str]],
    *,
    follow: bool,
    tail: int | None,
    stop: threading.Event,
) -> Iterator[Line]:
    """Yield the lines of containers, by name, as they come: each is read in a thread of its own.

    With `follow` it ends when `stop` is set. Raises LockshipError where a log can't be read.
    """
    lines: queue.Queue[Line | LockshipError | None] = queue.Queue(maxsize=1000)

    def read(server: Server, container: str) -> None:
        try:
            for line in server.logs(container, tail=tail, follow=follow):
                lines.put((server.name, container, line))
        except LockshipError as error:
            lines.put(error)
        finally:
            lines.put(None)

    for server, container in sources:
        threading.Thread(target=read, args=(server, container), daemon=True).start()
    ended = 0
    while ended < len(sources) and not stop.is_set():
        try:
            item = lines.get(timeout=0.2)
        except queue.Empty:
            continue
        if item is None:
            ended += 1
        elif isinstance(item, LockshipError):
            raise item
        else:
            yield item


def execute(
    lock: Lock,
    argv: Sequence[str],
    *,
    role: str | None = None,
    host: str | None = None,
    tty: bool = False,
    report: Report = quiet,
) -> int:
    """Run a command in the first running container of the role on the host; return its exit status.

    Without a role the lock's first one, without a host the role's first one.
    """
    role = role or next(iter(lock.roles))
    name = used_hosts(lock, role, host)[0]
    with connected(lock, [name], report) as opened:
        server = opened.values_or_raise(f"{name} can't be reached.")[0]
        running = [c for c in _of_project(server, lock, role) if c.state == "running"]
        if not running:
            raise LockshipError(
                f"{name}: no container of role {role} is running.", hint="See `lockship status`."
            )
        wanted = names.container_name(lock, role)
        chosen = next((c for c in running if c.name == wanted), running[0])
        return server.exec(chosen.name, argv, tty=tty)


def _of_project(server: Server, lock: Lock, role: str | None) -> list[Container]:
    labels = {names.PROJECT: lock.project} | ({names.ROLE: role} if role else {})
    found = server.containers(labels)
    running = [container for container in found if container.state == "running"]
    return running or found
