"""What boot, reboot and remove do on one host: pure functions, as `deploy.plan` is.

`chosen` are the accessories' names. What isn't locked on a host is only ever removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from lockship.deploy.accessory.judge import as_locked
from lockship.deploy.accessory.labels import ACCESSORY, container_name, is_ours
from lockship.deploy.accessory.observe import on_host
from lockship.deploy.accessory.steps import (
    CreateAccessory,
    FetchImage,
    ProbeAccessory,
    RemoveVolume,
)
from lockship.deploy.goals import RUNNING
from lockship.deploy.ports import port_taken, taken, wished
from lockship.deploy.state import HostState
from lockship.deploy.steps import (
    HostPlan,
    RemoveContainer,
    StartContainer,
    Step,
    StopContainer,
    StoreLock,
)
from lockship.errors import RefusedError
from lockship.host.types import Container
from lockship.lock.model import Lock

_UNFINISHED: Final = ("created", "dead", "removing")  # its files may not be in it
_STOP_TIMEOUT: Final = 10.0  # seconds, of an accessory that the lock doesn't have


def boot(lock: Lock, state: HostState, chosen: Sequence[str]) -> HostPlan:
    """Create what isn't there and start what doesn't run; what runs is left as it is.

    Where no boot of it ended, as after a kill, it is only to be seen healthy. Raises RefusedError
    where a container of that name isn't the project's, LockshipError where a port is somebody
    else's.
    """
    fetch: list[Step] = []
    steps: list[Step] = []
    for name in (each for each in on_host(lock, state.host) if each in chosen):
        found = _found(lock, state, name)
        container = container_name(lock.project, name)
        if found is not None and found.state == "running":
            if name not in state.accessories.booted:
                steps.append(ProbeAccessory(container, name))
            continue
        _refuse_taken(lock, state, name)
        if found is not None and found.state not in _UNFINISHED:
            why = f"it is {found.state}"
            if found.state in RUNNING:  # paused, or ending again and again
                steps.append(StopContainer(container, lock.accessories[name].stop_timeout, why))
            steps.append(StartContainer(container, why))
        else:
            fetch += _fetch(lock, state, name)
            if found is not None:
                steps.append(RemoveContainer(container, "it never ran"))
            steps += _create(container, name, "no container is there")
        steps.append(ProbeAccessory(container, name))
    return _plan(lock, state, [*fetch, *steps])


def reboot(lock: Lock, state: HostState, chosen: Sequence[str]) -> HostPlan:
    """Replace what is there by what is locked; volumes stay. Raises as `boot` does."""
    fetch: list[Step] = []
    steps: list[Step] = []
    for name in (each for each in on_host(lock, state.host) if each in chosen):
        found = _found(lock, state, name)
        _refuse_taken(lock, state, name)
        container = container_name(lock.project, name)
        fetch += _fetch(lock, state, name)
        why = "it is to reboot"
        if found is not None:
            same = as_locked(lock, name, found, state.accessories)
            why = why if same else "it differs from the lock"
            steps += _removed(found, lock.accessories[name].stop_timeout, why)
        steps += _create(container, name, why if found else "no container is there")
        steps.append(ProbeAccessory(container, name))
    return _plan(lock, state, [*fetch, *steps])


def remove(
    lock: Lock, state: HostState, chosen: Sequence[str] | None, *, volumes: bool
) -> HostPlan:
    """Stop and remove containers, locked or not (None: all); with `volumes` also named volumes.

    A volume that another accessory or a role on this host uses stays.
    """
    steps: list[Step] = []
    gone: list[str] = []
    for found in state.accessories.containers:
        name = found.labels.get(ACCESSORY, "")
        if not is_ours(found, lock) or (chosen is not None and name not in chosen):
            continue
        table = lock.accessories.get(name)
        steps += _removed(found, table.stop_timeout if table else _STOP_TIMEOUT, "it is removed")
    if volumes:
        gone = [n for n in on_host(lock, state.host) if chosen is None or n in chosen]
        steps += [
            RemoveVolume(volume, f"it is of {name}, which is removed")
            for name in gone
            for volume in _named(lock.accessories[name].volumes)
            if volume not in _used_by_others(lock, state.host, gone)
        ]
    return HostPlan(state.host, switch=tuple(steps))


def _found(lock: Lock, state: HostState, name: str) -> Container | None:
    wanted = container_name(lock.project, name)
    found = next((each for each in state.accessories.containers if each.name == wanted), None)
    if found is not None and not is_ours(found, lock):
        raise RefusedError(
            f"{state.host}: the container {wanted} isn't the accessory of {lock.project}.",
            hint="Remove or rename that container, or give the accessory another name.",
        )
    return found


def _refuse_taken(lock: Lock, state: HostState, name: str) -> None:
    wanted = wished(lock.accessories[name].ports)
    for holder in state.holders:
        port = taken(holder, wanted)
        if port is not None and holder.name != container_name(lock.project, name):
            raise port_taken(state.host, port, holder, lock)


def _fetch(lock: Lock, state: HostState, name: str) -> list[FetchImage]:
    image = lock.accessories[name].image
    return [] if image in state.accessories.images else [FetchImage(name, image)]


def _create(container: str, name: str, why: str) -> list[Step]:
    return [
        CreateAccessory(container, name, why),
        StartContainer(container, "it was just created", fresh=True),
    ]


def _removed(found: Container, stop_timeout: float, why: str) -> list[Step]:
    running = found.state in RUNNING
    stop: list[Step] = [StopContainer(found.name, stop_timeout, why)] if running else []
    return [*stop, RemoveContainer(found.name, why)]


def _plan(lock: Lock, state: HostState, steps: list[Step]) -> HostPlan:
    """Where a container is created, the lock that it is of is stored, for an audit."""
    if any(isinstance(step, CreateAccessory) for step in steps):
        steps.insert(0, StoreLock(lock.fingerprint, "an audit reads it"))
    return HostPlan(state.host, switch=tuple(steps))


def _named(volumes: Iterable[str]) -> list[str]:
    """Return the names of volumes that have one; the others are folders of the host."""
    sources = (volume.partition(":")[0] for volume in volumes)
    return [source for source in sources if not source.startswith("/")]


def _used_by_others(lock: Lock, host: str, gone: Sequence[str]) -> set[str]:
    others = [each.volumes for name, each in on_host(lock, host).items() if name not in gone]
    others += [role.volumes for role in lock.roles.values() if host in role.hosts]
    return {volume for volumes in others for volume in _named(volumes)}
