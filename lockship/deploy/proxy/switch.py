"""Switch, or remove, a service's route on one host: one rename, then ask the proxy."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lockship.deploy.proxy import certificates, confirm, route
from lockship.deploy.proxy.claim import claiming
from lockship.deploy.proxy.observe import observe_proxy, read_routes, route_path
from lockship.deploy.state import ProxyState
from lockship.deploy.steps import ChangeRoute, SwitchRoute
from lockship.errors import RefusedError
from lockship.host.ahead import both
from lockship.host.channel import SocketLike
from lockship.host.server import Server
from lockship.lock.model import Lock
from lockship.secrets.secret import Secret

# Readable by all: the proxy may run as another user than who deploys. Nothing is secret.
_MODE: Final = 0o644


@dataclass(slots=True)
class Ready:
    """All of a route's switch that changes nothing yet, done: what is left is one rename.

    `written` is the new file beside the one at `path`, '' where that says the same already. `asked`
    leads to the proxy, where there is a way. `claims`: the project's file hadn't claimed all of it.
    """

    step: SwitchRoute
    path: str
    written: str
    asked: SocketLike | None
    claims: bool


def prepare(
    server: Server, lock: Lock, step: SwitchRoute, secrets: Mapping[str, Secret], proxy: ProxyState
) -> Ready:
    """Write the project's route file beside the one that is there, its own certificate first.

    `proxy` is as it was seen.
    """
    path = route_path(proxy.folder, step.project)
    own = certificates.leaf(lock, secrets) if step.container else None
    if own is not None:
        certificates.put(server, lock, step.content, secrets)
    # Also the same file again, with another certificate: the proxy reads it when the file is new.
    if own is None and proxy.route(step.project) == step.content:
        return Ready(step, path, "", None, claims=False)
    written, asked = both(
        lambda: server.write_beside(path, step.content.encode(), _MODE),
        lambda: confirm.way_to(server, proxy.container),
    )
    former = route.claims(proxy.route(step.project) or "")
    new = bool(step.container) and not route.claims(step.content) <= former
    return Ready(step, path, written, asked, claims=new)


def drop(server: Server, ready: Ready) -> None:
    """Remove what was prepared and isn't wanted."""
    if ready.asked is not None:
        ready.asked.close()
    if ready.written:
        server.remove_file(ready.written)


def switch(
    server: Server,
    lock: Lock,
    step: SwitchRoute,
    secrets: Mapping[str, Secret],
    ready: Ready | None = None,
) -> None:
    """Put the project's route file in its place, and wait until it is served.

    What isn't `ready` is prepared. Raises RefusedError where another service took the route since
    the plan was made, NotServed where the proxy doesn't follow.
    """
    if ready is not None and ready.step != step:
        drop(server, ready)
        ready = None
    if ready is None:
        ready = prepare(server, lock, step, secrets, observe_proxy(server, lock))
    path, written, asked = ready.path, ready.written, ready.asked
    served = False
    if ready.claims:
        _claim(server, ready)
        served = asked is not None and confirm.sees(asked, step.project, step.content)
    elif written and asked is not None:
        # From far away an answer would come a round trip later, were the rename waited for.
        _, served = both(
            lambda: server.rename(written, path),
            lambda: confirm.sees(asked, step.project, step.content),
        )
    elif written:
        server.rename(written, path)
    if not served:
        confirm.wait_serving(server, step.project, step.content)
    shown = certificates.leaf(lock, secrets) if step.container else None
    if shown is not None and lock.proxy is not None:
        confirm.wait_certificate(server, lock.proxy.hosts[0], shown)


def _claim(server: Server, ready: Ready) -> None:
    """Put a file in its place that claims something new, unless another project has it by now."""
    folder, project = posixpath.dirname(ready.path), ready.step.project
    with claiming(server, folder, project):
        clash = route.conflict(project, ready.step.content, read_routes(server, folder))
        if clash is None:
            server.rename(ready.written, ready.path)
    if clash is not None:
        drop(server, ready)
        raise RefusedError(
            f"{server.name}: {clash}.", hint="See who claims what: `lockship proxy status`."
        )


def change(server: Server, lock: Lock, step: ChangeRoute) -> None:
    """Write the project's route file; where the proxy runs, wait until it serves that."""
    state = observe_proxy(server, lock)
    if state.route(step.project) != step.content:
        _write(server, state, step.project, step.content)
    if state.container is not None and state.container.state == "running":
        confirm.wait_serving(server, step.project, step.content)


def _write(server: Server, state: ProxyState, project: str, content: str) -> None:
    server.write_file(route_path(state.folder, project), content.encode(), _MODE)


def remove(server: Server, lock: Lock, project: str) -> None:
    """Remove the project's route file and wait until the proxy serves it no more."""
    state = observe_proxy(server, lock)
    server.remove_file(route_path(state.folder, project))
    if state.container is not None and state.container.state == "running":
        confirm.wait_gone(server, project)
