"""`[accessories.NAME]` of `lockship.toml`: its model, and what of it is locked."""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Collection, Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, field

from lockship.errors import UsageError
from lockship.gitobjects import Read, find_entry, quoted
from lockship.lock.accessory import Accessory
from lockship.lock.container import ContainerOptions
from lockship.lock.names import (
    EnvName,
    ImageReference,
    Memory,
    MountedFile,
    PublishedPort,
    RoleName,
    Seconds,
    Volume,
    split_port,
)
from lockship.lock.role import Healthcheck
from lockship.lock.table import Table
from lockship.prepare import hosts
from lockship.selection import covers

PRIVATE: Final = "127.0.0.1"  # where a port is bound that says no address
_LFS: Final = b"version https://git-lfs.github.com/spec/"


class AccessoryTable(Table, frozen=True):
    """`[accessories.NAME]`: one container on each of `hosts`, or of the hosts of `role`."""

    image: ImageReference
    hosts: Annotated[tuple[str, ...], Meta(min_length=1)] | None = None
    role: RoleName | None = None
    command: str | tuple[str, ...] = ()
    ports: tuple[PublishedPort, ...] = ()
    volumes: tuple[Volume, ...] = ()
    files: tuple[MountedFile, ...] = ()
    env: dict[EnvName, str] = field(default_factory=dict)
    secrets: tuple[EnvName, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    restart: Literal["no", "always", "unless-stopped", "on-failure"] = "unless-stopped"
    memory: Memory | None = None
    cpus: Annotated[float, Meta(gt=0, le=1024)] | None = None
    stop_timeout: Seconds = 10.0
    healthcheck: Healthcheck | None = None
    options: ContainerOptions = ContainerOptions()

    def for_lock(self, of_role: tuple[str, ...], locked: Mapping[str, str]) -> Accessory:
        """Return the lock's table: hosts by name, ports with their address, files with their blob.

        `of_role` are the hosts of the role that it names, `locked` what `lock_files` returned.
        """
        fields = msgspec.structs.asdict(self)
        del fields["role"]
        command = shlex.split(self.command) if isinstance(self.command, str) else self.command
        names = of_role if self.hosts is None else self.hosts
        replaced = {
            "hosts": tuple(hosts.parse(host).name for host in names),
            "command": tuple(command),
            "ports": tuple(map(bound, self.ports)),
            "files": tuple(f"{locked[_source(each)]} {each}" for each in self.files),
        }
        return Accessory(**{**fields, **replaced})


Accessories = Mapping[str, AccessoryTable]


def bound(port: str) -> str:
    """Return a published port with its address: where none is said, only the host itself."""
    return port if port.count(":") > 1 else f"{PRIVATE}:{port}"


def exposed(accessories: Mapping[str, Accessory]) -> tuple[str, ...]:
    """Return a note for each port that others than the host and its private networks reach."""
    return tuple(
        f"accessories.{name}: {port} is open to whoever reaches the host's address; without an "
        f"address it is bound to {PRIVATE}."
        for name, accessory in accessories.items()
        for port in accessory.ports
        if _is_open(split_port(port)[0])
    )


def lock_files(
    read: Read, tree: str, accessories: Accessories, paths: Collection[bytes]
) -> dict[str, str]:
    """Return mode and blob of each file that accessories name, by its path in the tree.

    Raises UsageError where one isn't a regular file in what is locked: at `paths`, if any.
    """
    found: dict[str, str] = {}
    for name, table in accessories.items():
        for source in map(_source, table.files):
            there = covers(paths, source.encode())
            entry = find_entry(read, tree, source.encode()) if there else None
            if entry is None or not entry.is_file:
                what = "is no regular file" if entry else "is not"
                path = quoted(source.encode())
                raise UsageError(
                    f"accessories.{name}.files: {path} {what} in what is locked.",
                    hint="Commit it, or mend its path"
                    + (", or name its folder in [source] paths." if paths else "."),
                )
            if read(entry.id).startswith(_LFS):
                raise UsageError(
                    f"accessories.{name}.files: {quoted(source.encode())} is kept in Git LFS.",
                    hint="Keep it in git itself: a lock names a file by its blob there.",
                )
            found[source] = f"{entry.mode:06o} {entry.id}"
    return found


def _source(mounted: str) -> str:
    return mounted.rpartition(":")[0]


def _is_open(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # the engine will refuse it
        return False
    return found.is_unspecified or not found.is_private
