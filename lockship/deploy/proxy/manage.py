"""The proxy on the lock's hosts, without a deploy: boot, reboot, status, logs, remove."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Final, Literal, TypeVar

from msgspec import Struct

from lockship.deploy.containers import merged
from lockship.deploy.fleet import connected, each, gathered, used_hosts
from lockship.deploy.foreign import ForeignImages
from lockship.deploy.proxy import boot as booting
from lockship.deploy.proxy import route
from lockship.deploy.proxy.container import IMAGE, NAME, STOP_TIMEOUT, as_locked, is_ours
from lockship.deploy.proxy.observe import observe_proxy
from lockship.deploy.state import ProxyState
from lockship.errors import AttentionError, LockshipError, RefusedError
from lockship.host.server import Server
from lockship.lock.model import Lock
from lockship.progress import Event, Report, quiet

T = TypeVar("T")
Verdict = Literal["as locked", "other settings", "stopped", "missing", "not lockship's"]
_WHAT: Final = "Not on every host."


class RouteRow(Struct, frozen=True, rename="kebab"):
    """One service's route: what it claims, as `host/path`, and where its requests go."""

    project: str
    claims: tuple[str, ...]
    upstream: str


class Row(Struct, frozen=True, rename="kebab"):
    """The proxy of one host, against the lock."""

    host: str
    state: str
    image: str
    verdict: Verdict
    routes: tuple[RouteRow, ...]


def boot(lock: Lock, *, host: str | None = None, report: Report = quiet) -> list[str]:
    """Start the proxy where it doesn't run; return the hosts where it was started."""
    started = _everywhere(
        lock, host, report, "boot the proxy", lambda s, i: booting.boot(s, lock, i)
    )
    return [name for name, new in started.items() if new]


def reboot(lock: Lock, *, host: str | None = None, report: Report = quiet) -> list[str]:
    """Replace the proxy by one with the lock's settings; return the hosts."""
    done = _everywhere(
        lock, host, report, "reboot the proxy", lambda s, i: booting.reboot(s, lock, i)
    )
    return list(done)


def remove(
    lock: Lock, *, host: str | None = None, force: bool = False, report: Report = quiet
) -> list[str]:
    """Remove the proxy; return the hosts where there was one. The route files stay.

    Raises RefusedError, before any is removed, where services are routed and `force` is False.
    """
    if not force:
        routed = [
            (row.host, each_one.project)
            for row in status(lock, host=host)
            for each_one in row.routes
        ]
        if routed:
            raise RefusedError(
                "The proxy serves services that would be unreachable without it.",
                details=[f"{where}: {project}" for where, project in routed],
                hint="With --force it is removed all the same; a reboot needs no removal.",
            )
    done = _everywhere(lock, host, report, "remove the proxy", lambda s, _: _remove(s, lock))
    return [name for name, was_there in done.items() if was_there]


def status(lock: Lock, *, host: str | None = None, report: Report = quiet) -> list[Row]:
    """Look at the proxy of each host."""
    booting.settings(lock)
    hosts = proxied_hosts(lock, host)
    with connected(lock, hosts, report) as opened:
        opened.values_or_raise("Not every host can be reached.")
        seen = each(
            hosts,
            lambda name: _row(name, observe_proxy(opened.done[name], lock), lock),
            parallel=lock.deploy.parallel,
        )
        return seen.values_or_raise("Not every host's proxy could be looked at.")


def logs(
    lock: Lock,
    *,
    host: str | None = None,
    follow: bool = False,
    tail: int | None = 100,
    stop: threading.Event,
    report: Report = quiet,
) -> Iterator[tuple[str, bytes]]:
    """Yield the last lines of each host's proxy; with `follow` also new ones, until `stop`.

    Raises LockshipError where a host can't be reached or has no proxy.
    """
    booting.settings(lock)
    with connected(lock, proxied_hosts(lock, host), report) as opened:
        opened.values_or_raise("Not every host can be reached.")
        for name, server in opened.done.items():
            if server.container(NAME) is None:
                raise LockshipError(
                    f"{name}: no proxy is there.", hint="Run `lockship proxy boot`."
                )
        sources = [(server, NAME) for server in opened.done.values()]
        for name, _, line in merged(sources, follow=follow, tail=tail, stop=stop):
            yield name, line


def proxied_hosts(lock: Lock, host: str | None) -> list[str]:
    """Return the hosts of the role behind the proxy, or the one that is asked for."""
    role = next((name for name, each_one in lock.roles.items() if each_one.proxy), None)
    return used_hosts(lock, role, host)


def _everywhere(
    lock: Lock,
    host: str | None,
    report: Report,
    what: str,
    do: Callable[[Server, booting.GetImage], T],
) -> dict[str, T]:
    booting.settings(lock)
    with (
        connected(lock, proxied_hosts(lock, host), report) as opened,
        ForeignImages(lock, report, {}) as images,
    ):
        opened.values_or_raise("Not every host can be reached; nothing was changed.")

        def one(name: str) -> T:
            report(Event("start", what, name))
            try:
                done = do(opened.done[name], booting.image_of(images, lock))
            except LockshipError:
                report(Event("failed", what, name))
                raise
            report(Event("done", what, name))
            return done

        results = each(opened.done, one, parallel=lock.deploy.parallel)
        if results.failed:
            kept = not any(isinstance(e, AttentionError) for e in results.failed.values())
            changed = any(each_one is not False for each_one in results.done.values())
            kind = LockshipError if kept and not changed else AttentionError
            raise gathered(_WHAT, results.failed, kind)
        return dict(results.done)


def _remove(server: Server, lock: Lock) -> bool:
    found = observe_proxy(server, lock).container
    if found is None:
        return False
    booting.require_ours(server, found)
    server.stop(NAME, STOP_TIMEOUT)
    server.remove(NAME)
    return True


def _row(host: str, state: ProxyState, lock: Lock) -> Row:
    found = state.container
    routes = tuple(
        RouteRow(file.project, _claims(file.text), route.upstream_of(file.text))
        for file in state.routes
    )
    if found is None:
        return Row(host, "absent", "", "missing", routes)
    verdict: Verdict = "as locked" if as_locked(found, booting.settings(lock)) else "other settings"
    if found.state != "running":
        verdict = "stopped"
    if not is_ours(found):
        verdict = "not lockship's"
    return Row(host, found.state, found.labels.get(IMAGE, ""), verdict, routes)


def _claims(text: str) -> tuple[str, ...]:
    return tuple(f"{host or '*'}{path or '/'}" for host, path in sorted(route.claims(text)))
