"""What stop, start, restart and remove do on one host: pure functions, as `deploy.plan` is.

`role` None means all roles. Stop and remove act on whatever of the project is there; start and
restart act on the lock's own containers, since a probe needs to know what it should find.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from lockship.deploy import names
from lockship.deploy.goals import RUNNING, goal_names
from lockship.deploy.proxy import edit, maintenance, plugin, route, routing
from lockship.deploy.state import HostState
from lockship.deploy.steps import (
    ChangeRoute,
    HostPlan,
    ProbeContainer,
    RemoveContainer,
    RemoveImage,
    RemoveRoute,
    SetReleases,
    StartContainer,
    Step,
    StopContainer,
)
from lockship.errors import RefusedError
from lockship.host.types import Container
from lockship.lock.image import Made
from lockship.lock.model import Lock

_STOP_TIMEOUT = 10.0  # seconds, of a role that the lock doesn't have


def stop(lock: Lock, state: HostState, role: str | None) -> HostPlan:
    """Stop what runs. Behind a proxy its requests in flight end first, and new ones get a 503."""
    chosen = _chosen(state, role)
    running = [each for each in chosen if each.state in RUNNING]
    steps: list[Step] = [*_hold(lock, state, chosen, "it is stopped"), *_drained(lock, running)]
    steps += [_stop(lock, each, "it is to stop") for each in running]
    return HostPlan(state.host, switch=tuple(steps))


def start(lock: Lock, made: Made, state: HostState, role: str | None) -> HostPlan:
    """Start the lock's containers that don't run, see them healthy, and route to them again.

    Raises RefusedError where the lock's containers aren't there.
    """
    steps: list[Step] = []
    for name, of_role, found in _goals(lock, made, state, role):
        if found.state not in RUNNING:
            steps += [StartContainer(name, f"it is {found.state}"), ProbeContainer(name, of_role)]
    steps += _served(lock, made, state, role, sure=not steps)
    return HostPlan(state.host, switch=tuple(steps))


def restart(lock: Lock, made: Made, state: HostState, role: str | None) -> HostPlan:
    """Stop and start the lock's containers one after the other, each seen healthy.

    Behind a proxy the route answers 503 meanwhile. Raises RefusedError as `start` does.
    """
    steps: list[Step] = []
    for name, of_role, found in _goals(lock, made, state, role):
        if found.state in RUNNING:
            steps += _hold(lock, state, [found], "it is restarted")
            steps += _drained(lock, [found])
            steps.append(_stop(lock, found, "it is to restart"))
        steps += [StartContainer(name, "it is to restart"), ProbeContainer(name, of_role)]
    steps += _served(lock, made, state, role, sure=False)
    return HostPlan(state.host, switch=tuple(steps))


def remove(lock: Lock, state: HostState, role: str | None) -> HostPlan:
    """Remove containers and route; of all roles also images and the list of releases.

    What an auditor needs stays: the journal and the stored locks. Volumes stay, too.
    """
    chosen = _chosen(state, role)
    running = [each for each in chosen if each.state in RUNNING]
    why = "it is removed"
    former = _route(lock, state)
    steps: list[Step] = []
    if former is not None and (role is None or _leads_to(former, chosen)):
        steps.append(RemoveRoute(lock.project, former, why))
    steps += [*_drained(lock, running), *(_stop(lock, each, why) for each in running)]
    steps += [RemoveContainer(each.name, why) for each in chosen]
    if role is None:
        steps += [SetReleases((), why)] if state.releases else []
        steps += [RemoveImage(image, why) for image in state.images]
    return HostPlan(state.host, switch=tuple(steps))


def maintenance_on(lock: Lock, state: HostState, message: str) -> HostPlan:
    """Put the page in front of the service's route.

    Raises RefusedError where there is no route, or a proxy that can't serve a page.
    """
    former, proxy = _route(lock, state), state.proxy.container if state.proxy else None
    if former is None:
        raise RefusedError(
            f"{state.host}: the proxy has no route of {lock.project}.",
            hint="`lockship deploy` makes it; maintenance is for a service behind the proxy.",
        )
    if proxy is None or proxy.state != "running":
        raise RefusedError(
            f"{state.host}: the proxy doesn't run.", hint="Run `lockship proxy boot`."
        )
    if plugin.LABEL not in proxy.labels:
        raise RefusedError(
            f"{state.host}: the proxy was booted by a lockship that knew no maintenance page.",
            hint="Run `lockship proxy reboot`, then this again.",
        )
    content = maintenance.put_on(former, lock.project, message)
    return _changed(lock, state, content, "show the maintenance page", "as asked")


def maintenance_off(lock: Lock, state: HostState) -> HostPlan:
    """Take the page away where there is one."""
    former = _route(lock, state)
    content = maintenance.taken_off(former, lock.project) if former is not None else None
    return _changed(lock, state, content, "take the maintenance page away", "as asked")


def _changed(lock: Lock, state: HostState, content: str | None, what: str, why: str) -> HostPlan:
    if content is None or content == _route(lock, state):
        return HostPlan(state.host)
    change = ChangeRoute(lock.project, content, f"{what} of {lock.project}", why)
    return HostPlan(state.host, switch=(change,))


def _chosen(state: HostState, role: str | None) -> list[Container]:
    return [each for each in state.containers if role in (None, each.labels.get(names.ROLE))]


def _goals(
    lock: Lock, made: Made, state: HostState, role: str | None
) -> list[tuple[str, str, Container]]:
    """Return name, role and container of the lock's containers that are chosen."""
    here = {each.name: each for each in state.containers}
    goals = goal_names(lock, made.image_id, state)
    found = [
        (name, of_role, here.get(name))
        for name, of_role in goals.items()
        if role in (None, of_role)
    ]
    missing = [of_role for _, of_role, each in found if each is None]
    others = [each.name for each in _chosen(state, role) if each.name not in goals]
    if missing:
        raise RefusedError(
            f"{state.host}: no container of {lock.project} {lock.service.version} is there for"
            f" {' and '.join(missing)}.",
            details=[f"there is: {name}" for name in others],
            hint=f"`lockship deploy` brings {lock.service.version}; `lockship rollback VERSION`"
            " what was there.",
        )
    return [(name, of_role, each) for name, of_role, each in found if each is not None]


def _hold(lock: Lock, state: HostState, chosen: Collection[Container], why: str) -> list[Step]:
    """Return the step after which no request comes to these containers any more."""
    former = _route(lock, state)
    if former is None or not _leads_to(former, chosen):
        return []
    what = f"answer 503 for {lock.project}"
    return [ChangeRoute(lock.project, edit.held(former), what, why)]


def _leads_to(text: str, containers: Iterable[Container]) -> bool:
    upstream = route.upstream_of(text)
    return bool(upstream) and upstream in {c.labels.get(names.UPSTREAM) for c in containers}


def _route(lock: Lock, state: HostState) -> str | None:
    return state.proxy.route(lock.project) if state.proxy else None


def _served(
    lock: Lock, made: Made, state: HostState, role: str | None, *, sure: bool
) -> list[Step]:
    """Return the steps after which the proxy serves the role behind it, if that is chosen."""
    goals = goal_names(lock, made.image_id, state)
    proxied = routing.proxied_goal(lock, goals)
    if proxied is None or role not in (None, goals[proxied]):
        return []
    boot = routing.boot(lock, state, goals)
    sure = sure and not boot
    return [*boot, *routing.switch(lock, made, state, goals, sure=sure)]


def _drained(lock: Lock, running: Sequence[Container]) -> list[Step]:
    return [step for each in running for step in routing.drain(lock, each)]


def _stop(lock: Lock, container: Container, why: str) -> StopContainer:
    role = lock.roles.get(container.labels.get(names.ROLE, ""))
    return StopContainer(container.name, role.stop_timeout if role else _STOP_TIMEOUT, why)
