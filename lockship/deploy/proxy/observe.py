"""Look at a host's proxy: its container and all route files. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from lockship.deploy import names
from lockship.deploy.proxy import certificates, container
from lockship.deploy.state import ProxyState, RouteFile
from lockship.errors import LockshipError
from lockship.host.ahead import both
from lockship.host.errors import HostError
from lockship.host.server import Server
from lockship.host.types import Container
from lockship.lock.model import Lock

SUFFIX: Final = ".yml"  # what Traefik's file provider reads; JSON is YAML


def observe_proxy(server: Server, lock: Lock) -> ProxyState:
    """Return the host's proxy. Its files are where the container says, whoever booted it."""
    found, routes = both(
        lambda: server.container(container.NAME),
        lambda: _read(server, names.proxy_folder(lock)),
    )
    return _state(server, lock, found, routes)


def listed_proxy(
    server: Server, lock: Lock, listed: Iterable[Container], routes: Mapping[str, bytes] | None
) -> ProxyState:
    """Return the same from a look that was taken: of one that runs, a list tells enough.

    `routes` are the files of the lock's own folder, where these were read.
    """
    running = (each for each in listed if each.name == container.NAME and each.state == "running")
    found = next(running, None) or server.container(container.NAME)
    return _state(server, lock, found, routes)


def _state(
    server: Server, lock: Lock, found: Container | None, routes: Mapping[str, bytes] | None
) -> ProxyState:
    likely = server.absolute(names.proxy_folder(lock))
    folder = (found.labels.get(container.FOLDER) if found else None) or likely
    if routes is None or folder != likely:
        routes = _read_others(server, folder)
    state = ProxyState(found, folder, _routes(routes))
    text = state.route(lock.project)
    lost = found is not None and text is not None and not certificates.are_there(server, text)
    return msgspec.structs.replace(state, certificate_lost=lost)


def read_routes(server: Server, folder: str) -> list[tuple[str, str]]:
    """Return the route files of all projects: each project and its file's text."""
    return [(file.project, file.text) for file in _routes(_read(server, folder))]


def _read(server: Server, folder: str) -> dict[str, bytes]:
    _, (routes,) = server.look([], [(folder, SUFFIX)])
    return routes


def _read_others(server: Server, folder: str) -> dict[str, bytes]:
    """Read a folder that may be another login's. Raises LockshipError where it can't be read."""
    try:
        return _read(server, folder)
    except HostError as error:
        if error.kind != "file":
            raise
        why = error.message.removeprefix(f"{server.name}: ")
        raise LockshipError(
            f"{server.name}: the proxy's routes can't be read by this login: {why}.",
            hint="Deploy as the login that booted the proxy: it owns the routes of all services.",
        ) from error


def _routes(files: Mapping[str, bytes]) -> tuple[RouteFile, ...]:
    return tuple(
        RouteFile(name.removesuffix(SUFFIX), text.decode(errors="replace"))
        for name, text in files.items()
    )


def route_path(folder: str, project: str) -> str:
    """Return the path of a project's route file."""
    return f"{folder}/{project}{SUFFIX}"
