"""What to do, as a pure function of the lock and of what was observed (law 5).

Nothing here touches a host, a clock or a file: the same observation gives the same plan, and a
deploy that was killed anywhere is finished by planning again from what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from lockship.deploy import names
from lockship.deploy.assets.steps import bridges
from lockship.deploy.batches import batches
from lockship.deploy.goals import RUNNING, goal_names, half_made, renewed_names, roles_on
from lockship.deploy.platform import made_for
from lockship.deploy.ports import port_taken, taken, whose, wished
from lockship.deploy.proxy import container as proxy_container
from lockship.deploy.proxy import routing
from lockship.deploy.state import HostState
from lockship.deploy.steps import (
    ConfirmContainer,
    CreateContainer,
    HostPlan,
    Plan,
    ProbeContainer,
    Release,
    RemoveContainer,
    RemoveImage,
    RemoveRoute,
    SetReleases,
    ShipImage,
    StartContainer,
    Step,
    StopContainer,
    StoreLock,
)
from lockship.errors import LockshipError
from lockship.host.types import Container
from lockship.lock.image import Artifact, Made
from lockship.lock.model import Lock
from lockship.lock.role import Role

Command = Literal["deploy", "rollback", "refresh-secrets"]


def plan(lock: Lock, artifact: Artifact, states: Iterable[HostState], command: Command) -> Plan:
    """Return the steps that bring each observed host to what the lock says.

    Raises LockshipError, before anything starts, where a port that a role or the proxy publishes
    is held by a container of another project; RefusedError where another service has the route, or
    no image was made for a host's platform.
    """
    seen = list(states)
    made = made_for(lock, artifact, seen)
    hosts = tuple(_plan_host(lock, made[state.host], state, command) for state in seen)
    return Plan(
        version=lock.service.version,
        fingerprint=lock.fingerprint,
        hosts=hosts,
        batches=batches(lock.deploy.batch, hosts),
    )


def release_of(lock: Lock, made: Made | None) -> Release:
    """Return a lock as a host's releases file has it; no image ('') where it isn't built."""
    image_id = made.image_id if made else ""
    return Release(lock.service.version, lock.fingerprint, image_id)


def _plan_host(lock: Lock, made: Made, state: HostState, command: Command) -> HostPlan:
    roles = roles_on(lock, state.host)
    naming = renewed_names if command == "refresh-secrets" else goal_names
    goals = naming(lock, made.image_id, state)
    here = {container.name: container for container in state.containers}
    current = state.releases[-1] if state.releases else None
    release = release_of(lock, made)
    proven = current == release
    old = [c for c in state.containers if c.name not in goals and c.state in RUNNING]

    stage: list[Step] = []
    beside: list[Step] = []
    in_the_way: list[Step] = []
    blockers: set[str] = set()
    for name, role_name in goals.items():
        create = list(_create(lock, made, name, role_name, here.get(name)))
        start = _start(name, here.get(name), fresh=bool(create))
        probe = [] if proven and not start else [ProbeContainer(name, role_name)]
        blocking = _blocking(roles[role_name], name, state, lock) if start else set()
        if start and roles[role_name].order == "stop-first":
            blocking |= {c.name for c in old if c.labels.get(names.ROLE) == role_name}
        stage += create
        if start:
            stage += bridges(name, role_name, roles[role_name], old)
        if blocking:
            blockers |= blocking
            in_the_way += [*start, *probe]
        else:
            beside += [*start, *probe]
    stage += beside

    retired = routing.retired(lock, old, goals) - blockers
    stops = [(c.name in blockers, _stop(lock, c)) for c in old if c.name not in retired]
    switch: list[Step] = [step for blocks, step in stops if blocks]
    switch += in_the_way
    switch += [step for blocks, step in stops if not blocks]

    boot = routing.boot(lock, state, goals)
    sure = proven and not boot and not retired
    route = routing.switch(lock, made, state, goals, sure=sure)
    # What no longer is behind the proxy gets no request any more before it stops.
    leaving = any(isinstance(step, RemoveRoute) for step in route)
    switch = [*route, *switch] if leaving else [*switch, *route]
    if switch:
        probed = [step for step in beside if isinstance(step, ProbeContainer)]
        switch[:0] = [ConfirmContainer(step.name, step.role) for step in probed]
    retire: list[Step] = []
    for container in (c for c in old if c.name in retired):
        retire += [*routing.drain(lock, container), _stop(lock, container)]

    if not state.has_image and any(isinstance(step, CreateContainer) for step in stage):
        stage.insert(0, ShipImage(made.image_id, "registry" if made.digest else "ssh"))
    if not proven:
        stage.insert(0, StoreLock(lock.fingerprint))
    if boot:
        _refuse_taken_proxy_port(lock, state)
    stage[:0] = boot
    finish = list(_finish(lock, release, state, goals, command, retire))
    return HostPlan(state.host, tuple(stage), tuple(switch), tuple(finish))


def _create(
    lock: Lock, made: Made, name: str, role: str, found: Container | None
) -> Iterator[Step]:
    """Create what isn't there; first remove what has its name and isn't it."""
    if found is not None and _is_goal(lock, made, found):
        return
    if found is not None:
        yield RemoveContainer(name, "it has this name, but not this image or this lock")
    yield CreateContainer(name, role, f"{role} is to run {lock.service.version}")


def _is_goal(lock: Lock, made: Made, container: Container) -> bool:
    return (
        container.image_id == made.image_id
        and container.labels.get(names.FINGERPRINT) == lock.fingerprint
        and container.state not in ("dead", "removing")
        and not half_made(lock, container)
    )


def _start(name: str, found: Container | None, *, fresh: bool) -> list[Step]:
    if fresh or found is None:
        return [StartContainer(name, "it was just created", fresh=True)]
    if found.state == "running" and found.health != "unhealthy":
        return []
    if found.state in RUNNING:
        return [
            StopContainer(name, 10.0, f"it is {found.health or found.state}"),
            StartContainer(name, f"it is {found.health or found.state}"),
        ]
    return [StartContainer(name, f"it is there, and {found.state}")]


def _blocking(role: Role, name: str, state: HostState, lock: Lock) -> set[str]:
    """Return the project's containers that hold a port which this role publishes.

    Raises LockshipError where somebody else's container holds one.
    """
    wanted = wished(role.ports)
    blocking: set[str] = set()
    for holder in state.holders:
        port = taken(holder, wanted)
        if port is None or holder.name == name:
            continue
        if holder.project != lock.project:
            raise port_taken(state.host, port, holder, lock)
        blocking.add(holder.name)
    return blocking


def _refuse_taken_proxy_port(lock: Lock, state: HostState) -> None:
    if lock.proxy is None or state.proxy is None or state.proxy.container is not None:
        return
    wanted = wished(proxy_container.ports(lock.proxy.server))
    for holder in state.holders:
        if (port := taken(holder, wanted)) is not None:
            raise LockshipError(
                f"{state.host}: port {port.host_port}/{port.protocol}, which the proxy is "
                f"to have, is in use by {whose(holder)}.",
                hint="Stop that container, or set another http-port in [proxy.server].",
            )


def _stop(lock: Lock, container: Container) -> StopContainer:
    role = lock.roles.get(container.labels.get(names.ROLE, ""))
    version = container.labels.get(names.VERSION, "another version")
    return StopContainer(
        container.name,
        role.stop_timeout if role else 10.0,
        f"{version} gives way to {lock.service.version}",
    )


def _finish(
    lock: Lock,
    release: Release,
    state: HostState,
    goals: dict[str, str],
    command: Command,
    retire: Sequence[Step],
) -> Iterator[Step]:
    """Record the release, retire what served before, remove what no release that is kept needs."""
    releases = releases_after(state.releases, release, lock.deploy.retain, command)
    if releases != state.releases:
        yield SetReleases(releases)
    yield from retire
    kept = {each.fingerprint for each in releases} - {lock.fingerprint}
    stale = [
        c.name
        for c in state.containers
        if c.name not in goals and c.labels.get(names.FINGERPRINT) not in kept
    ]
    for name in stale:
        yield RemoveContainer(name, "no release that is kept for a rollback")
    images = {each.image_id for each in releases}
    for image in state.images:
        if image not in images:
            yield RemoveImage(image, "no release that is kept for a rollback")


def releases_after(
    releases: tuple[Release, ...], release: Release, retain: int, command: Command
) -> tuple[Release, ...]:
    """Return the releases, newest last, once this one serves; at most `retain` earlier ones.

    A deploy puts the release on top. A rollback takes away what was above it, so that a second
    rollback goes one further back, and not to the version that was just left.
    """
    places = [n for n, each in enumerate(releases) if each.fingerprint == release.fingerprint]
    if command == "rollback" and places:
        below = releases[: places[-1]]
    else:
        below = tuple(r for r in releases if r.fingerprint != release.fingerprint)
    return (*below, release)[-(retain + 1) :]
