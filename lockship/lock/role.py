"""The tables of a lock on containers: roles, how they are seen healthy, how a rollout goes."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from lockship.lock.container import AbsolutePath, ContainerOptions
from lockship.lock.names import (
    EnvName,
    HostName,
    HttpPath,
    Memory,
    Percent,
    Port,
    PublishedPort,
    RunFolder,
    Seconds,
    SiteName,
    Volume,
)
from lockship.lock.table import Table


class Healthcheck(Table, frozen=True):
    """How a container is seen healthy: HTTP where `path` is set, TCP where only `port` is.

    With neither, the image's own HEALTHCHECK; an image without one must stay up for `interval`
    seconds times `successes`. All times are in seconds.
    """

    path: HttpPath | None = None
    host: SiteName | None = None
    port: Port | None = None
    status: Annotated[tuple[Annotated[int, Meta(ge=100, le=599)], ...], Meta(min_length=1)] = (200,)
    interval: Seconds = 1.0
    timeout: Seconds = 5.0
    limit: Seconds = 30.0
    successes: Annotated[int, Meta(ge=1, le=100)] = 1


class Role(Table, frozen=True):
    """Containers of one kind: where they run and how.

    `assets` is a folder in them whose files are bridged between two versions.
    """

    hosts: Annotated[tuple[HostName, ...], Meta(min_length=1)]
    command: tuple[str, ...] = ()
    ports: tuple[PublishedPort, ...] = ()
    volumes: tuple[Volume, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    restart: Literal["no", "always", "unless-stopped", "on-failure"] = "unless-stopped"
    memory: Memory | None = None
    cpus: Annotated[float, Meta(gt=0, le=1024)] | None = None
    stop_timeout: Seconds = 10.0
    healthcheck: bool | Healthcheck = True  # its own stands in place of `[healthcheck]`
    env: dict[EnvName, str] = field(default_factory=dict)
    secrets: tuple[EnvName, ...] = ()
    order: Literal["stop-first"] | None = None  # None: the new one starts before the old one stops
    proxy: bool | None = None  # never False: a lock without a proxy says nothing of one
    assets: AbsolutePath | None = None
    options: ContainerOptions = ContainerOptions()


class Deploy(Table, frozen=True):
    """How a rollout goes. `retain` counts earlier versions kept on each host for a rollback.

    `batch` is how many hosts switch together (None: all); `batch_check` is a program of the machine
    that deploys, with its arguments; both times are in seconds. `commit`: a deploy commits the
    lockfile as it ends.
    """

    run_folder: RunFolder = ".lockship"
    retain: Annotated[int, Meta(ge=1, le=100)] = 3
    parallel: Annotated[int, Meta(ge=1, le=1000)] = 32
    connect_timeout: Seconds = 15.0
    batch: Annotated[int, Meta(ge=1, le=1000)] | Percent | None = None
    batch_pause: Seconds | None = None
    batch_check: tuple[str, ...] = ()
    batch_check_timeout: Seconds | None = None
    commit: bool | None = None
