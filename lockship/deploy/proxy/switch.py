"""Switch, or remove, a service's route on one host: one rename, then ask the proxy."""

from __future__ import annotations

from collections.abc import Mapping

from lockship.deploy.proxy import certificates, confirm, route
from lockship.deploy.proxy.observe import observe_proxy, route_path
from lockship.deploy.state import ProxyState
from lockship.deploy.steps import ChangeRoute, SwitchRoute
from lockship.errors import RefusedError
from lockship.host.server import Server
from lockship.lock.model import Lock
from lockship.secrets.secret import Secret


def switch(server: Server, lock: Lock, step: SwitchRoute, secrets: Mapping[str, Secret]) -> None:
    """Write the project's route file, its own certificate first, and wait until it is served.

    Raises RefusedError where another service took the route since the plan was made, NotServed
    where the proxy doesn't follow.
    """
    state = observe_proxy(server, lock)
    shown = certificates.leaf(lock, secrets) if step.container else None
    if shown is not None:
        certificates.put(server, lock, step.content, secrets)
    # Also the same file again, with another certificate: the proxy reads it when the file is new.
    if shown is not None or state.route(step.project) != step.content:
        others = [(file.project, file.text) for file in state.routes]
        clash = route.conflict(step.project, step.content, others) if step.container else None
        if clash:
            raise RefusedError(
                f"{server.name}: {clash}.", hint="See who claims what: `lockship proxy status`."
            )
        _write(server, state, step.project, step.content)
    confirm.wait_serving(server, step.project, step.content)
    if shown is not None and lock.proxy is not None:
        confirm.wait_certificate(server, lock.proxy.hosts[0], shown)


def change(server: Server, lock: Lock, step: ChangeRoute) -> None:
    """Write the project's route file; where the proxy runs, wait until it serves that."""
    state = observe_proxy(server, lock)
    if state.route(step.project) != step.content:
        _write(server, state, step.project, step.content)
    if state.container is not None and state.container.state == "running":
        confirm.wait_serving(server, step.project, step.content)


def _write(server: Server, state: ProxyState, project: str, content: str) -> None:
    # Readable by all: the proxy may run as another user than who deploys. Nothing is secret.
    server.write_file(route_path(state.folder, project), content.encode(), 0o644)


def remove(server: Server, lock: Lock, project: str) -> None:
    """Remove the project's route file and wait until the proxy serves it no more."""
    state = observe_proxy(server, lock)
    server.remove_file(route_path(state.folder, project))
    if state.container is not None and state.container.state == "running":
        confirm.wait_gone(server, project)
