"""One host as a plan sees it: frozen data, nothing that could reach the host."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from lockship.deploy.steps import Release
from lockship.host.types import Container, Published


class Holder(Struct, frozen=True):
    """A running container, of whatever project, that has ports of the host.

    Of an accessory `project` is '', `accessory` its name and `owner` whose it is.
    """

    name: str
    project: str
    published: tuple[Published, ...]
    accessory: str = ""
    owner: str = ""


class Accessories(Struct, frozen=True):
    """A host's accessories: the project's, in all states, and whoever has one's name.

    `images` are the ids, by the reference in the lock, of the images that are there. `booted` are
    the names of those whose last act in the journal is a boot that ended well.
    """

    containers: tuple[Container, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    booted: frozenset[str] = frozenset()


class RouteFile(Struct, frozen=True):
    """One project's route file, as it is on the host."""

    project: str
    text: str


class ProxyState(Struct, frozen=True):
    """The host's proxy: its container, if it has one, and the route files of all projects.

    `folder` is the absolute path of the files. `certificate_lost`: the project's route names a
    certificate that isn't in the container.
    """

    container: Container | None
    folder: str
    routes: tuple[RouteFile, ...] = ()
    certificate_lost: bool = False

    def route(self, project: str) -> str | None:
        """Return the text of a project's file; None when there is none."""
        return next((file.text for file in self.routes if file.project == project), None)


class HostState(Struct, frozen=True):
    """One host as it is now.

    `containers` are the project's, in all states; `holders` are all that have published ports;
    `releases` are those of the releases file, newest last (the last is the current one);
    `images` are the ids of the service's images; `has_image` tells of the locked image.
    `proxy` is None where neither the lock nor a container has to do with one. `files` are the
    paths in the run folder, below the login home as names gives them; only `prune` looks there.
    `platform` is whose image the host runs; '' where the lock's image is one for all.
    `by_manifest`: its engine gives images the ids that containerd has for them.
    """

    host: str
    containers: tuple[Container, ...] = ()
    holders: tuple[Holder, ...] = ()
    releases: tuple[Release, ...] = ()
    images: tuple[str, ...] = ()
    has_image: bool = False
    proxy: ProxyState | None = None
    files: tuple[str, ...] = ()
    accessories: Accessories = Accessories()
    platform: str = ""
    by_manifest: bool = False
