"""All hosts of a lock at the same time: connect, do one thing on each, collect what failed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from lockship.errors import LockshipError, UsageError
from lockship.host.connect import connect, load_libraries
from lockship.host.server import Server
from lockship.lock.model import Lock
from lockship.progress import Event, Report

T = TypeVar("T")
STOP_POLL = 0.1  # seconds until a request to stop is passed on to hosts at work


@dataclass(frozen=True, slots=True)
class Results(Generic[T]):
    """What came of one thing done on many hosts, by host, in the order asked for."""

    done: Mapping[str, T] = field(default_factory=dict)
    failed: Mapping[str, LockshipError] = field(default_factory=dict)

    def values_or_raise(self, what: str) -> list[T]:
        """Return the values, or raise one error that names every host that failed."""
        if self.failed:
            raise gathered(what, self.failed)
        return list(self.done.values())


def gathered(
    what: str, failed: Mapping[str, LockshipError], kind: type[LockshipError] = LockshipError
) -> LockshipError:
    """Return one error for several hosts' failures; a single one keeps its own hint.

    Of failures that are alike only the first one's details are told.
    """
    details: list[str] = []
    told: dict[str, str] = {}
    for host, error in failed.items():
        named = f"{host}: {error.message.removeprefix(f'{host}: ')}"
        first = told.setdefault(error.alike, host) if error.alike else host
        more = error.details if first == host else [f"as on {first}"]
        details += [named, *(f"  {line}" for line in more)]
    hints = list(dict.fromkeys(error.hint for error in failed.values() if error.hint))
    return kind(what, details=details, hint="\n".join(hints[:2]))


def each(
    hosts: Iterable[str],
    do: Callable[[str], T],
    *,
    parallel: int,
    halt: threading.Event | None = None,
    stop: threading.Event | None = None,
) -> Results[T]:
    """Do one thing for every host, at most `parallel` at once, and wait for all of them.

    `halt` is set at once when a host fails or `stop` is set, while others are still at work.
    """
    names = list(hosts)
    with ThreadPoolExecutor(max_workers=max(1, min(parallel, len(names)))) as pool:
        futures: dict[str, Future[T]] = {name: pool.submit(do, name) for name in names}
        waiting = set(futures.values())
        while waiting:
            ended, waiting = wait(waiting, STOP_POLL if stop else None, FIRST_COMPLETED)
            failed_now = any(future.exception() is not None for future in ended)
            if halt is not None and (failed_now or (stop is not None and stop.is_set())):
                halt.set()
    done: dict[str, T] = {}
    failed: dict[str, LockshipError] = {}
    for name, future in futures.items():
        error = future.exception()
        if error is None:
            done[name] = future.result()
        elif isinstance(error, LockshipError):
            failed[name] = error
        else:
            raise error
    return Results(done, failed)


def _nothing(_server: Server) -> None:
    """Begin nothing."""


@contextmanager
def connected(
    lock: Lock,
    hosts: Iterable[str],
    report: Report,
    begin: Callable[[Server], None] = _nothing,
) -> Iterator[Results[Server]]:
    """Connect to hosts, all at the same time; close every connection at the end.

    `begin` is called for each as soon as it is connected, and must not wait for it.
    """

    def open_one(name: str) -> Server:
        report(Event("start", "connect", name))
        try:
            server = connect(name, lock.hosts[name], timeout=lock.deploy.connect_timeout)
        except LockshipError:
            report(Event("failed", "connect", name))
            raise
        report(Event("done", "connect", name))
        begin(server)
        return server

    names = list(hosts)
    loader = threading.Thread(target=load_libraries, args=[names], daemon=True)
    loader.start()
    results = each(names, open_one, parallel=lock.deploy.parallel)
    try:
        yield results
    finally:
        loader.join()  # an import that is cut off by the process's end says so on stderr
        # Daemons: a host that doesn't even let itself be hung up on mustn't keep this process.
        closers = [
            threading.Thread(target=server.close, daemon=True) for server in results.done.values()
        ]
        for thread in closers:
            thread.start()
        for thread in closers:
            thread.join(timeout=5)


def used_hosts(lock: Lock, role: str | None = None, host: str | None = None) -> list[str]:
    """Return the hosts of the lock's roles, in its order, each once.

    Raises UsageError where the lock has no such role or host.
    """
    if role is not None and role not in lock.roles:
        raise UsageError(
            f"The lock has no role {role}.", hint=f"Its roles: {', '.join(lock.roles)}."
        )
    roles = [lock.roles[role]] if role is not None else list(lock.roles.values())
    hosts = list(dict.fromkeys(name for each_role in roles for name in each_role.hosts))
    if host is not None and host not in hosts:
        raise UsageError(
            f"The lock has no host {host}" + (f" in role {role}." if role else "."),
            hint=f"Its hosts: {', '.join(hosts)}.",
        )
    return [host] if host is not None else hosts


def every_host(lock: Lock, host: str | None = None) -> list[str]:
    """Return the hosts of roles and accessories, in the lock's order, each once.

    Raises UsageError where the lock has no such host.
    """
    hosts = list(lock.every_host)
    if host is not None and host not in hosts:
        raise UsageError(f"The lock has no host {host}.", hint=f"Its hosts: {', '.join(hosts)}.")
    return [host] if host is not None else hosts
