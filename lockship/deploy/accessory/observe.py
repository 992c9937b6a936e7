"""Look at a host's accessories, as frozen data. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from lockship.deploy.accessory.labels import container_name, is_ours
from lockship.deploy.foreign import asked_for
from lockship.deploy.ports import holders
from lockship.deploy.state import Accessories, HostState
from lockship.host.server import Server
from lockship.host.types import Container
from lockship.lock.accessory import Accessory
from lockship.lock.model import Lock


def on_host(lock: Lock, host: str) -> dict[str, Accessory]:
    """Return the accessories that the lock has on a host."""
    return {name: each for name, each in lock.accessories.items() if host in each.hosts}


def look(server: Server, lock: Lock) -> HostState:
    """Observe as much of a host as an act on accessories needs to know."""
    found = server.containers({})
    accessories = observe_accessories(server, lock, found)
    return HostState(host=server.name, holders=holders(found), accessories=accessories)


def observe_accessories(server: Server, lock: Lock, found: Iterable[Container]) -> Accessories:
    """Return, of all containers of a host, the project's accessories, locked or not.

    And whoever has the name of a locked one.
    """
    locked = on_host(lock, server.name)
    names = {container_name(lock.project, name) for name in locked}
    chosen = [each for each in found if is_ours(each, lock) or each.name in names]
    seen = {table.image: server.image(asked_for(table.image)) for table in locked.values()}
    return Accessories(
        containers=tuple(sorted(chosen, key=lambda each: each.name)),
        images={reference: image.id for reference, image in seen.items() if image is not None},
    )
