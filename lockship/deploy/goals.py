"""Which container of each role a host is to run: its name, as a function of what is there. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from lockship.deploy import names
from lockship.deploy.state import HostState
from lockship.host.types import Container
from lockship.lock.model import Lock
from lockship.lock.role import Role

RUNNING = ("running", "restarting", "paused")


def roles_on(lock: Lock, host: str) -> dict[str, Role]:
    """Return the roles that run on this host."""
    return {name: role for name, role in lock.roles.items() if host in role.hosts}


def goal_names(lock: Lock, image_id: str | None, state: HostState) -> dict[str, str]:
    """Return, by name, the container of each role on this host (image_id None: of any image).

    Two machines that build one lock without a registry make two images. So that the one that
    serves isn't removed before the other is healthy, the other gets a name beside it.
    """
    return {_goal_name(lock, image_id, state, role): role for role in roles_on(lock, state.host)}


def renewed_names(lock: Lock, image_id: str, state: HostState) -> dict[str, str]:
    """Return the same, but new containers for the roles whose secrets are looked up anew.

    The role behind the proxy is one of them where the proxy's certificate is a secret.
    """
    own = lock.proxy is not None and lock.proxy.tls is not None and lock.proxy.tls.certificate
    goals: dict[str, str] = {}
    for name, role in goal_names(lock, image_id, state).items():
        anew = lock.roles[role].secrets or (own and lock.roles[role].proxy)
        there = [names.generation(each.name) for each in _alike(lock, None, state, role)]
        goals[names.renewed(name, max(there) + 1) if anew and there else name] = role
    return goals


def half_made(lock: Lock, container: Container) -> bool:
    """Whether a container never ran and isn't in all of its networks: its deploy was killed."""
    role = lock.roles.get(container.labels.get(names.ROLE, ""))
    wanted = role.options.networks if role else ()
    return container.state == "created" and not set(wanted) <= set(container.networks)


def _goal_name(lock: Lock, image_id: str | None, state: HostState, role: str) -> str:
    """Of several that are alike, of which one renews the other's secrets, the older one that runs.

    So a deploy takes back a renewal that was killed before it ended.
    """
    name = names.container_name(lock, role)
    alike = sorted(
        _alike(lock, image_id, state, role),
        key=lambda each: (each.state not in RUNNING, names.generation(each.name)),
    )
    if alike:
        return alike[0].name
    serves = any(found.name == name and found.state in RUNNING for found in state.containers)
    return names.beside(name, image_id) if serves and image_id else name


def _alike(lock: Lock, image_id: str | None, state: HostState, role: str) -> Iterator[Container]:
    wanted = {names.ROLE: role, names.FINGERPRINT: lock.fingerprint}
    for found in state.containers:
        if image_id in (None, found.image_id) and wanted.items() <= found.labels.items():
            yield found
