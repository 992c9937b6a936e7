"""What an accessory's container is called and labelled, and the container itself, as data. Pure.

It has none of the labels of a role's container: no deploy, prune or remove finds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lockship.deploy.names import LABEL_PREFIX
from lockship.deploy.proxy.container import NETWORK
from lockship.host.types import Container, ContainerSpec
from lockship.lock.accessory import settings_key
from lockship.lock.model import Lock
from lockship.secrets.secret import Secret

OWNER: Final = "dev.lockship.owner"  # the project
ACCESSORY: Final = "dev.lockship.accessory"
IMAGE: Final = "dev.lockship.accessory-image"  # as the lock named it
SETTINGS: Final = "dev.lockship.accessory-settings"  # of what the container was made


def container_name(project: str, accessory: str) -> str:
    """`<project>-<accessory>`: one on a host, whatever its version."""
    return f"{project}-{accessory}"


def address(project: str, accessory: str) -> str:
    """How containers on the same host find it: a name in DNS, unique for each project.

    `.internal` is never a domain of the Internet's: without the accessory it leads to no stranger.
    """
    return f"{accessory}.{project}.internal"


def spec(lock: Lock, name: str, image_id: str, secrets: Mapping[str, Secret]) -> ContainerSpec:
    """Return the container of an accessory. `secrets` are at least those that it names."""
    accessory = lock.accessories[name]
    own = {k: v for k, v in accessory.labels.items() if not k.startswith(LABEL_PREFIX)}
    labels = {
        OWNER: lock.project,
        ACCESSORY: name,
        IMAGE: accessory.image,
        SETTINGS: settings_key(accessory),
    }
    return ContainerSpec(
        name=container_name(lock.project, name),
        image=image_id,
        command=accessory.command,
        env=accessory.env,
        labels=own | labels,
        ports=accessory.ports,
        volumes=accessory.volumes,
        restart=accessory.restart,
        memory=accessory.memory,
        cpus=accessory.cpus,
        stop_timeout=accessory.stop_timeout,
        network=NETWORK,
        alias=address(lock.project, name),
        secrets={each: secrets[each] for each in accessory.secrets},
        options=accessory.options,
        known_as=address(lock.project, name),
    )


def is_ours(container: Container, lock: Lock) -> bool:
    """Whether lockship made this container for an accessory of the lock's project."""
    return container.labels.get(OWNER) == lock.project
