"""The container that a lock describes, as data: what `CreateContainer` asks the engine for."""

from __future__ import annotations

from collections.abc import Mapping

from lockship.deploy import names
from lockship.deploy.proxy.container import NETWORK
from lockship.host.types import ContainerSpec
from lockship.lock.image import Made
from lockship.lock.model import Lock
from lockship.secrets.secret import Secret


def container_spec(
    lock: Lock,
    made: Made,
    secrets: Mapping[str, Secret],
    *,
    role_name: str,
    host: str,
    name: str,
) -> ContainerSpec:
    """Return the container that the lock describes for a role on a host, under this name.

    With accessories it is in lockship's network, where these have their names. Its image is named
    by id (law 4). `secrets` are all of the lock's; the role gets its own.
    """
    role = lock.roles[role_name]
    upstream = names.upstream(lock, role_name, made.image_id, name)
    labels = names.container_labels(lock, role_name, role)
    return ContainerSpec(
        name=name,
        image=made.image_id,
        command=role.command,
        env=lock.environment(role_name, host)
        | {"LOCKSHIP_VERSION": lock.service.version, "LOCKSHIP_SERVICE": lock.service.name},
        labels=labels | ({names.UPSTREAM: upstream} if upstream else {}),
        ports=role.ports,
        volumes=role.volumes,
        restart=role.restart,
        memory=role.memory,
        cpus=role.cpus,
        stop_timeout=role.stop_timeout,
        network=NETWORK if upstream or lock.accessories else "",
        alias=names.alias(lock, role_name, made.image_id, name) if upstream else "",
        secrets={each: secrets[each] for each in role.secrets},
        options=role.options,
        known_as=names.known_as(lock, role_name),
    )
