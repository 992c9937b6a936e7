"""The table of a lock on what a service needs beside itself: a database, a cache and the like."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from lockship.lock.container import ContainerOptions
from lockship.lock.names import (
    EnvName,
    HostName,
    ImageReference,
    LockedFile,
    Memory,
    PublishedPort,
    Seconds,
    Volume,
)
from lockship.lock.role import Healthcheck
from lockship.lock.table import Table, compact


class Accessory(Table, frozen=True):
    """One container on each of its hosts, which no deploy touches.

    Every one of `ports` says its address. `files` are put into the container from git: mode and
    blob as `git ls-tree` writes them, path in the repository, path in the container.
    """

    image: ImageReference
    hosts: Annotated[tuple[HostName, ...], Meta(min_length=1)]
    command: tuple[str, ...] = ()
    ports: tuple[PublishedPort, ...] = ()
    volumes: tuple[Volume, ...] = ()
    files: tuple[LockedFile, ...] = ()
    env: dict[EnvName, str] = field(default_factory=dict)
    secrets: tuple[EnvName, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    restart: Literal["no", "always", "unless-stopped", "on-failure"] = "unless-stopped"
    memory: Memory | None = None
    cpus: Annotated[float, Meta(gt=0, le=1024)] | None = None
    stop_timeout: Seconds = 10.0
    healthcheck: Healthcheck | None = None
    options: ContainerOptions = ContainerOptions()


@dataclass(frozen=True, slots=True)
class File:
    """One of an accessory's files. `mode` is that of the file in the container."""

    mode: int
    blob: str
    source: str
    target: str


def files_of(accessory: Accessory) -> list[File]:
    """Read an accessory's `files`."""
    found = []
    for text in accessory.files:
        mode, blob, paths = text.split(" ", 2)
        source, _, target = paths.rpartition(":")
        found.append(File(int(mode[-3:], 8), blob, source, target))
    return found


def settings_key(accessory: Accessory) -> str:
    """Return a short digest of all that a container is made from: its table, the hosts aside.

    Secrets are in it by name: another value of one doesn't change it. Nor do keys that a later
    lockship knows, while a lock doesn't say them.
    """
    table: dict[str, Any] = msgspec.to_builtins(accessory)
    made_from = {key: value for key, value in compact(table).items() if key != "hosts"}
    encoded = msgspec.json.encode(made_from, order="sorted")
    return hashlib.sha256(b"lockship accessory 1\n" + encoded).hexdigest()[:16]
