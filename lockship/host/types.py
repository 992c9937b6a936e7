"""What a host tells and is told, as frozen data: no dict of the Docker API travels further."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from lockship.lock.container import ContainerOptions
from lockship.secrets.secret import Secret

ContainerState = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]
Health = Literal["starting", "healthy", "unhealthy"]


class Published(Struct, frozen=True, order=True):
    """A container's port on the host. `address` is '' for all of the host's addresses."""

    host_port: int
    container_port: int
    protocol: str = "tcp"
    address: str = ""


class Container(Struct, frozen=True):
    """A container as the engine sees it now.

    `address` is its IP on the network that it was made in ('' when it isn't running). `health` is
    None when there is no HEALTHCHECK. `exposed` are the TCP ports that the image declares. `pid` is
    that of its first process as the engine sees it, 0 when it isn't running. `networks` are the
    names of those that it is in, as a list of containers tells them.
    """

    id: str
    name: str
    image_id: str
    state: ContainerState
    labels: Mapping[str, str]
    exit_code: int = 0
    oom_killed: bool = False
    error: str = ""
    health: Health | None = None
    health_output: str = ""
    address: str = ""
    published: tuple[Published, ...] = ()
    exposed: tuple[int, ...] = ()
    created: str = ""
    started: str = ""
    restarts: int = 0
    pid: int = 0
    networks: tuple[str, ...] = ()


class ImageInfo(Struct, frozen=True):
    """An image on a host. `layers` are its diff ids from the base up."""

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    labels: Mapping[str, str]
    layers: tuple[str, ...]
    platform: str
    size: int
    has_healthcheck: bool = False
    exposed: tuple[int, ...] = ()


class ListedImage(Struct, frozen=True):
    """An image as the list of images tells it; `ImageInfo` takes one more call for each."""

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    labels: Mapping[str, str]


class ContainerSpec(Struct, frozen=True):
    """A container to create. Sizes in bytes, times in seconds, `cpus` in cores.

    `secrets` are variables too, and show in no message. `network` is a network of lockship's own,
    made when it isn't there ('': the engine's default one); in it the container is known by its
    name and by `alias`. In the networks of `options`, which are made too, it is `known_as`.
    """

    name: str
    image: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    labels: Mapping[str, str]
    ports: tuple[str, ...]
    volumes: tuple[str, ...]
    restart: str
    memory: str | None
    cpus: float | None
    stop_timeout: float
    network: str = ""
    alias: str = ""
    secrets: Mapping[str, Secret] = {}
    options: ContainerOptions = ContainerOptions()
    known_as: str = ""


class EngineInfo(Struct, frozen=True):
    """A host's Docker engine. `containerd_store`: containerd keeps its images, not a driver.

    `platform` is what its machine runs, as images name it; `folder` is where it keeps everything.
    """

    version: str
    platform: str
    containerd_store: bool
    folder: str = ""


class RegistryAuth(Struct, frozen=True):
    """Credentials for one registry, sent with a request and stored nowhere.

    Either `username` and `password`, or `identity_token`. `server` is the registry's name.
    """

    server: str
    username: str = ""
    password: str = ""
    identity_token: str = ""

    def __repr__(self) -> str:
        return f"RegistryAuth(server={self.server!r})"  # a password in a traceback is a leak
