"""One host as a plan sees it: frozen data, nothing that could reach the host."""

from __future__ import annotations

from msgspec import Struct

from lockship.deploy.steps import Release
from lockship.host.types import Container, Published


class Holder(Struct, frozen=True):
    """A running container, of whatever project, that has ports of the host."""

    name: str
    project: str
    published: tuple[Published, ...]


class HostState(Struct, frozen=True):
    """One host as it is now.

    `containers` are the project's, in all states; `holders` are all that have published ports;
    `releases` are those of the releases file, newest last (the last is the current one);
    `images` are the ids of the service's images; `has_image` tells of the locked image.
    """

    host: str
    containers: tuple[Container, ...] = ()
    holders: tuple[Holder, ...] = ()
    releases: tuple[Release, ...] = ()
    images: tuple[str, ...] = ()
    has_image: bool = False
