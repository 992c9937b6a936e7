"""Look at a host's proxy: its container and all route files. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from lockship.deploy import names
from lockship.deploy.proxy import certificates, container
from lockship.deploy.state import ProxyState, RouteFile
from lockship.host.server import Server
from lockship.host.types import Container
from lockship.lock.model import Lock

SUFFIX: Final = ".yml"  # what Traefik's file provider reads; JSON is YAML


def observe_proxy(server: Server, lock: Lock, listed: Iterable[Container] = ()) -> ProxyState:
    """Return the host's proxy. Its files are where the container says, whoever booted it.

    `listed` are the host's containers where they are known: of one that runs they tell enough.
    """
    running = (each for each in listed if each.name == container.NAME and each.state == "running")
    found = next(running, None) or server.container(container.NAME)
    folder = found.labels.get(container.FOLDER) if found else None
    folder = folder or server.absolute(names.proxy_folder(lock))
    state = ProxyState(found, folder, read_routes(server, folder))
    text = state.route(lock.project)
    lost = found is not None and text is not None and not certificates.are_there(server, text)
    return msgspec.structs.replace(state, certificate_lost=lost)


def read_routes(server: Server, folder: str) -> tuple[RouteFile, ...]:
    """Return the route files of all projects, by name."""
    files = [name for name in server.list_folder(folder) if name.endswith(SUFFIX)]
    texts = server.read_files([f"{folder}/{name}" for name in files])
    return tuple(
        RouteFile(name.removesuffix(SUFFIX), text.decode(errors="replace"))
        for name, text in zip(files, texts, strict=True)
        if text is not None
    )


def route_path(folder: str, project: str) -> str:
    """Return the path of a project's route file."""
    return f"{folder}/{project}{SUFFIX}"
