"""Look at a host's accessories, as frozen data. Changes nothing."""

from __future__ import annotations

from lockship.deploy.accessory.labels import OWNER, container_name
from lockship.deploy.foreign import asked_for
from lockship.deploy.ports import holders
from lockship.deploy.state import Accessories, HostState
from lockship.host.server import Server
from lockship.lock.accessory import Accessory
from lockship.lock.model import Lock


def on_host(lock: Lock, host: str) -> dict[str, Accessory]:
    """Return the accessories that the lock has on a host."""
    return {name: each for name, each in lock.accessories.items() if host in each.hosts}


def look(server: Server, lock: Lock) -> HostState:
    """Observe as much of a host as an act on accessories needs to know."""
    return HostState(
        host=server.name,
        holders=holders(server.containers({})),
        accessories=observe_accessories(server, lock),
    )


def observe_accessories(server: Server, lock: Lock) -> Accessories:
    """Return the project's accessories, locked or not, and whoever has the name of a locked one."""
    found = {each.name: each for each in server.containers({OWNER: lock.project})}
    images: dict[str, str] = {}
    for accessory, table in on_host(lock, server.name).items():
        name = container_name(lock.project, accessory)
        stranger = None if name in found else server.container(name)
        if stranger is not None:
            found[name] = stranger
        image = server.image(asked_for(table.image))
        if image is not None:
            images[table.image] = image.id
    return Accessories(tuple(found[name] for name in sorted(found)), images)
