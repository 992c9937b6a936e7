"""Look at a host's accessories, as frozen data. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from lockship.deploy import journal
from lockship.deploy.accessory.labels import container_name, is_ours
from lockship.deploy.foreign import names_of
from lockship.deploy.ports import holders
from lockship.deploy.state import Accessories, HostState
from lockship.host import questions
from lockship.host.server import Server
from lockship.host.types import Container, ImageInfo
from lockship.lock.accessory import Accessory
from lockship.lock.model import Lock


def on_host(lock: Lock, host: str) -> dict[str, Accessory]:
    """Return the accessories that the lock has on a host."""
    return {name: each for name, each in lock.accessories.items() if host in each.hosts}


def look(server: Server, lock: Lock) -> HostState:
    """Observe as much of a host as an act on accessories needs to know."""
    wanted = accessory_images(lock, server.name)
    found, *images = server.ask(questions.containers({}), *map(questions.image, wanted))
    seen = accessories(lock, server.name, found, images)
    seen = msgspec.structs.replace(seen, booted=journal.booted(server, lock))
    return HostState(host=server.name, holders=holders(found), accessories=seen)


def accessory_images(lock: Lock, host: str) -> list[str]:
    """Return the images to ask a host for, those of its accessories in their order."""
    locked = on_host(lock, host).values()
    return [name for each in locked for name in names_of(each.image, lock.mirrors)]


def accessories(
    lock: Lock, host: str, found: Iterable[Container], images: Iterable[ImageInfo | None]
) -> Accessories:
    """Return, of all containers of a host, the project's accessories, locked or not.

    And whoever has the name of a locked one. `images` are those of `accessory_images`.
    """
    locked = on_host(lock, host)
    names = {container_name(lock.project, name) for name in locked}
    chosen = [each for each in found if is_ours(each, lock) or each.name in names]
    named = [table.image for table in locked.values() for _ in names_of(table.image, lock.mirrors)]
    seen = zip(named, images, strict=True)
    return Accessories(
        containers=tuple(sorted(chosen, key=lambda each: each.name)),
        images={name: image.id for name, image in seen if image is not None},
    )
