"""Create a container, in all of its networks."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from lockship.host.errors import WrongImage
from lockship.host.network import ensure_network
from lockship.host.spec import aliases, networks, to_engine
from lockship.host.types import ContainerSpec

if TYPE_CHECKING:
    import docker


def create(host: str, api: docker.APIClient, spec: ContainerSpec, there: Collection[str]) -> str:
    """Create it, and its networks where they aren't there; return its id.

    Engines before API 1.44 create a container in one network only, so it is connected to the
    others afterwards; whoever plans sees by its networks whether that was done. `there` are those
    of its networks that were seen a moment ago. Raises WrongImage where its image isn't there.
    """
    from docker.errors import ImageNotFound

    wanted = networks(spec)
    for name in (name for name in wanted if name not in there):
        ensure_network(api, name)
    try:
        made: dict[str, Any] = api.create_container_from_config(to_engine(spec), spec.name)  # type: ignore[no-untyped-call]
    except ImageNotFound as error:
        raise WrongImage(host, spec.image) from error
    for name in wanted[1:]:
        api.connect_container_to_network(spec.name, name, aliases=aliases(spec, name))
    return str(made["Id"])
