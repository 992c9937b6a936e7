"""The proxy's part of a plan. Pure, as `plan` is, and only called from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lockship.deploy import names
from lockship.deploy.proxy import container as proxy_container
from lockship.deploy.proxy import maintenance, route
from lockship.deploy.state import HostState, ProxyState
from lockship.deploy.steps import BootProxy, DrainContainer, RemoveRoute, Step, SwitchRoute
from lockship.errors import LockshipError, RefusedError
from lockship.host.types import Container
from lockship.lock.image import Made
from lockship.lock.model import Lock
from lockship.lock.proxy import Proxy
from lockship.lock.reference import parse_pinned

_DRAIN: Final = 30.0  # seconds, where the lock no longer says


def proxied_goal(lock: Lock, goals: Mapping[str, str]) -> str | None:
    """Return the name of the container that the proxy is to serve; None where there is none."""
    return next((name for name, role in goals.items() if lock.roles[role].proxy), None)


def boot(lock: Lock, state: HostState, goals: Mapping[str, str]) -> list[BootProxy]:
    """Return the step that boots the proxy where it is needed and doesn't run.

    Raises RefusedError where another service claims the same host name and path, LockshipError
    where the proxy's name is taken by somebody else's container.
    """
    goal, proxy = proxied_goal(lock, goals), state.proxy
    if goal is None or lock.proxy is None or proxy is None:
        return []
    found = proxy.container
    if found is not None and not proxy_container.is_ours(found):
        raise LockshipError(
            f"{state.host}: the container {found.name} isn't lockship's, and has the proxy's name.",
            hint="Remove or rename that container.",
        )
    _refuse_conflict(lock, lock.proxy, state.host, proxy)
    if found is not None and (lack := proxy_container.lacks(found, lock.proxy)):
        raise RefusedError(
            f"{state.host}: the proxy there {lack}, which TLS needs; nothing was changed.",
            hint="`lockship proxy reboot` gives it the lock's settings, and keeps all routes.",
        )
    if found is not None and found.state == "running":
        return []
    why = f"the proxy is {found.state}" if found else "no proxy is there"
    return [BootProxy(lock.proxy.server.image, why)]


def _refuse_conflict(lock: Lock, proxy: Proxy, host: str, state: ProxyState) -> None:
    content = route.render(proxy, lock.project, "")
    others = [(file.project, file.text) for file in state.routes]
    if clash := route.conflict(lock.project, content, others):
        raise RefusedError(
            f"{host}: {clash}; nothing was changed.",
            hint="Give one of the two other [proxy] hosts or path-prefixes.",
        )


def switch(
    lock: Lock, made: Made, state: HostState, goals: Mapping[str, str], *, sure: bool
) -> list[Step]:
    """Return the step that lets the proxy serve the goal, or nothing of the project any more.

    `sure`: this release is recorded, the proxy runs, and nothing waits to be stopped; the proxy is
    only asked again where a deploy may have been killed before it was.
    """
    if state.proxy is None:
        return []
    former = state.proxy.route(lock.project)
    goal = proxied_goal(lock, goals)
    upstream = names.upstream(lock, goals[goal], made.image_id, goal) if goal else None
    if goal is None or upstream is None or lock.proxy is None:
        why = "no role here is behind the proxy"
        return [RemoveRoute(lock.project, former, why)] if former is not None else []
    content = content_for(lock, upstream, former)
    lost = content == former and state.proxy.certificate_lost
    if content == former and sure and not lost:
        return []
    return [
        SwitchRoute(
            project=lock.project,
            upstream=upstream,
            content=content,
            former=former,
            container=goal,
            port=lock.proxy.port,
            drain=lock.proxy.drain,
            why=_why(changed=content != former, lost=lost),
        )
    ]


def content_for(lock: Lock, upstream: str, former: str | None) -> str:
    """Return the route file that leads to `upstream`; a maintenance page that is on stays on."""
    assert lock.proxy is not None  # noqa: S101 - asked only where a role is behind the proxy
    content = route.render(lock.proxy, lock.project, upstream)
    return maintenance.carried(content, former, lock.project)


def _why(*, changed: bool, lost: bool) -> str:
    if changed:
        return "it is healthy"
    return "the proxy has lost its certificate" if lost else "to be sure that the proxy does"


def announcement(lock: Lock, state: HostState) -> str | None:
    """Return what a person should know of a host's proxy that isn't as this lock says.

    It blocks no deploy: it belongs to all services of the host.
    """
    found = state.proxy.container if state.proxy else None
    if found is None or lock.proxy is None or proxy_container.as_locked(found, lock.proxy.server):
        return None
    image, wanted = found.labels.get(proxy_container.IMAGE, ""), lock.proxy.server.image
    differs = "has other settings than the lock's"
    if image != wanted:
        differs = f"runs {_brief(image)}, and the lock has {_brief(wanted)}"
    return f"the proxy {differs}: `lockship proxy reboot` replaces it, and keeps all routes"


def _brief(image: str) -> str:
    """Return an image's name, and the beginning of its pin."""
    pinned = parse_pinned(image)
    pin = pinned.digest.removeprefix("sha256:")[:12]
    return f"{pinned.named} ({pin})" if pin else pinned.named or "an unknown image"


def retired(lock: Lock, old: Sequence[Container], goals: Mapping[str, str]) -> frozenset[str]:
    """Return which old containers serve until every host's route is switched."""
    goal = proxied_goal(lock, goals)
    role = goals[goal] if goal is not None else None
    return frozenset(
        each.name
        for each in old
        if names.UPSTREAM in each.labels or (role and each.labels.get(names.ROLE) == role)
    )


def drain(lock: Lock, container: Container) -> list[DrainContainer]:
    """Return the step before an old container's stop; none where no proxy ever served it."""
    _, _, port = container.labels.get(names.UPSTREAM, "").rpartition(":")
    limit = lock.proxy.drain if lock.proxy else _DRAIN
    return [DrainContainer(container.name, int(port), limit)] if port.isdigit() else []


def take_back(step: SwitchRoute | RemoveRoute) -> list[Step]:
    """Return the steps that put the former route back, and let what came in meanwhile end."""
    back: list[Step] = []
    if isinstance(step, RemoveRoute):
        return [_restored(step.project, step.former)]
    if step.former is None:
        back.append(RemoveRoute(step.project, step.content, "the deploy is taken back"))
    elif step.former != step.content:
        back.append(_restored(step.project, step.former))
    if back and step.container:
        back.append(DrainContainer(step.container, step.port, step.drain))
    return back


def _restored(project: str, content: str) -> SwitchRoute:
    return SwitchRoute(
        project=project,
        upstream=route.upstream_of(content),
        content=content,
        former=None,
        container="",
        port=0,
        drain=0.0,
        why="the deploy is taken back: it served before",
    )
