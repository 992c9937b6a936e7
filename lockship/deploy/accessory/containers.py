"""Status and logs of accessories, and commands in one of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from lockship.deploy.accessory.judge import Row, rows
from lockship.deploy.accessory.labels import container_name
from lockship.deploy.accessory.observe import look
from lockship.deploy.accessory.tasks import chosen, hosts_of
from lockship.deploy.containers import Line, merged
from lockship.deploy.fleet import connected, each, every_host
from lockship.errors import LockshipError
from lockship.host.server import Server
from lockship.lock.model import Lock
from lockship.progress import Report, quiet


def status(
    lock: Lock, name: str | None, *, host: str | None = None, report: Report = quiet
) -> list[Row]:
    """Look at the accessories of each host, also at those that the lock no longer has.

    Raises LockshipError where a host can't be read, UsageError where the lock has no such host.
    """
    with connected(lock, every_host(lock, host), report) as opened:
        opened.values_or_raise("Not every host can be reached.")
        seen = each(
            opened.done, lambda h: look(opened.done[h], lock), parallel=lock.deploy.parallel
        )
        states = seen.values_or_raise("Not every host could be observed.")
    return [row for state in states for row in rows(lock, state) if name in (None, row.accessory)]


def logs(
    lock: Lock,
    name: str | None,
    *,
    host: str | None = None,
    follow: bool = False,
    tail: int | None = 100,
    stop: threading.Event,
    report: Report = quiet,
) -> Iterator[Line]:
    """Yield the last lines of accessories; with `follow` also new ones, until `stop`.

    Raises LockshipError where a host can't be reached or no container is there.
    """
    names = chosen(lock, name)
    with connected(lock, hosts_of(lock, name, host), report) as opened:
        opened.values_or_raise("Not every host can be reached.")
        sources = [
            (server, container)
            for where, server in opened.done.items()
            for container in (
                container_name(lock.project, each)
                for each, table in names.items()
                if where in table.hosts
            )
            if server.container(container) is not None
        ]
        if not sources:
            raise LockshipError("No container is there.", hint="Run `lockship accessory boot`.")
        yield from merged(sources, follow=follow, tail=tail, stop=stop)


def execute(
    lock: Lock,
    name: str,
    argv: Sequence[str],
    *,
    host: str | None = None,
    tty: bool = False,
    report: Report = quiet,
) -> int:
    """Run a command in an accessory, on its first host unless one is said; return its status.

    Raises LockshipError where it doesn't run there.
    """
    where = hosts_of(lock, name, host)[0]
    container = container_name(lock.project, name)
    with connected(lock, [where], report) as opened:
        server: Server = opened.values_or_raise(f"{where} can't be reached.")[0]
        found = server.container(container)
        if found is None or found.state != "running":
            raise LockshipError(
                f"{where}: accessory {name} isn't running.",
                hint=f"Run `lockship accessory boot {name}`.",
            )
        return server.exec(container, argv, tty=tty)
