"""Carry out one of the steps that only accessories have."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from lockship.deploy.accessory.labels import spec
from lockship.deploy.accessory.steps import (
    AccessoryStep,
    CreateAccessory,
    FetchImage,
    ProbeAccessory,
    RemoveVolume,
)
from lockship.deploy.probe import probe
from lockship.errors import LockshipError
from lockship.host.inside import Placed
from lockship.host.server import Server
from lockship.lock.accessory import files_of
from lockship.lock.role import Healthcheck

if TYPE_CHECKING:
    from lockship.deploy.apply import Work


def apply(step: AccessoryStep, server: Server, work: Work) -> None:
    """Carry out `step`. Every step may be repeated: what is already so is left so."""
    match step:
        case FetchImage(accessory=name, image=image):
            work.images.get(server, image, f"the image of accessory {name}")
        case CreateAccessory(name=container, accessory=name):
            _create(server, work, container, name)
        case ProbeAccessory(name=container, accessory=name):
            wanted = work.lock.accessories[name].healthcheck or Healthcheck()
            probe(server, container, wanted, stop=work.halt)
        case RemoveVolume(volume=volume):
            server.remove_volume(volume)


def _create(server: Server, work: Work, container: str, name: str) -> None:
    """Create the container and put its files in; one whose files can't be put in is removed."""
    accessory = work.lock.accessories[name]
    image = work.images.get(server, accessory.image, f"the image of accessory {name}")
    server.create(spec(work.lock, name, image, work.secrets))
    placed = [
        Placed(posixpath.normpath(each.target), work.files[each.blob], each.mode)
        for each in files_of(accessory)
    ]
    if placed:
        try:
            server.inside(container).place(placed)
        except BaseException as error:
            server.remove(container)
            if isinstance(error, LockshipError):
                error.hint = error.hint or f"See `files` of accessory {name} in lockship.toml."
            raise
