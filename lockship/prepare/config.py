"""`lockship.toml`: its model, and reading it from the tree that is being locked.

docs/configuration.md is the reference of these tables. Where a table is the same in the lock, it
is the lock's own.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from lockship.lock.container import AbsolutePath, ContainerOptions
from lockship.lock.environment import HostTag, TagName
from lockship.lock.image import Build
from lockship.lock.mirrors import MirrorName
from lockship.lock.model import Host, Policy
from lockship.lock.names import (
    Digest,
    EnvName,
    HostName,
    Memory,
    PublishedPort,
    RegistryName,
    Repository,
    RoleName,
    Seconds,
    ServiceName,
    TreePath,
    Volume,
)
from lockship.lock.platform import Platform
from lockship.lock.proxy import Proxy
from lockship.lock.registry import Registry
from lockship.lock.role import Deploy, Healthcheck, Role
from lockship.lock.shape import Problem, convert
from lockship.lock.table import Table
from lockship.prepare import documents, rules
from lockship.prepare import hosts as addresses
from lockship.prepare.accessories import AccessoryTable
from lockship.prepare.complaint import Document, complain


class ServiceTable(Table, frozen=True):
    """`[service]`: what is deployed."""

    name: ServiceName


class SourceTable(Table, frozen=True):
    """`[source]`: where others find the repository, and which paths of it are the service."""

    remote: str | None = None
    paths: tuple[TreePath, ...] = ()


class ImageTable(Table, frozen=True):
    """`[image]`: what the image is called; the service's name when nothing is said.

    `digest`: it is there already, and nothing is built.
    """

    repository: Repository | None = None
    digest: Digest | None = None


class RoleTable(Table, frozen=True):
    """`[roles.NAME]`: containers of one kind. A command in one string is split as a shell would."""

    hosts: Annotated[tuple[str, ...], Meta(min_length=1)]
    command: str | tuple[str, ...] = ()
    ports: tuple[PublishedPort, ...] = ()
    volumes: tuple[Volume, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    restart: Literal["no", "always", "unless-stopped", "on-failure"] = "unless-stopped"
    memory: Memory | None = None
    cpus: Annotated[float, Meta(gt=0, le=1024)] | None = None
    stop_timeout: Seconds = 10.0
    healthcheck: bool | Healthcheck = True
    env: dict[EnvName, str] = field(default_factory=dict)
    secrets: tuple[EnvName, ...] | None = None
    order: Literal["start-first", "stop-first"] = "start-first"
    proxy: bool = False
    assets: AbsolutePath | None = None
    options: ContainerOptions = ContainerOptions()

    def for_lock(self, secrets: Iterable[str] = ()) -> Role:
        """Return the lock's table: hosts by name, the command as a list.

        `secrets` are those of a role that doesn't name its own.
        """
        fields = msgspec.structs.asdict(self)
        command = shlex.split(self.command) if isinstance(self.command, str) else self.command
        locked = {
            "hosts": tuple(addresses.parse(host).name for host in self.hosts),
            "command": tuple(command),
            "secrets": tuple(secrets) if self.secrets is None else self.secrets,
            "order": self.order if self.order == "stop-first" else None,
            "proxy": self.proxy or None,
        }
        return Role(**{**fields, **locked})


class HostTable(Table, frozen=True):
    """`[hosts.NAME]`: what isn't said where a role names the host."""

    platform: Platform | None = None


class HooksTable(Table, frozen=True):
    """`[hooks]`: how long a deploy hook may take. The scripts are files, at `.lockship/hooks`."""

    timeout: Seconds | None = None


class Config(Table, frozen=True):
    """All of `lockship.toml`, a destination's file merged over it."""

    service: ServiceTable
    roles: Annotated[dict[RoleName, RoleTable], Meta(min_length=1)]
    source: SourceTable = SourceTable()
    build: Build = Build()
    image: ImageTable = ImageTable()
    hosts: dict[HostName, HostTable] = field(default_factory=dict)
    env: dict[EnvName, str] = field(default_factory=dict)
    tags: dict[TagName, HostTag] = field(default_factory=dict)
    secrets: dict[EnvName, str] = field(default_factory=dict)
    healthcheck: Healthcheck = Healthcheck()
    deploy: Deploy = Deploy()
    proxy: Proxy | None = None
    accessories: dict[RoleName, AccessoryTable] = field(default_factory=dict)
    hooks: HooksTable = HooksTable()
    registry: Registry | None = None
    mirrors: dict[RegistryName, MirrorName] = field(default_factory=dict)
    policy: Policy | None = None
    unset: tuple[str, ...] = ()

    def every_host(self) -> dict[str, Host]:
        """Return every host by its name, in order of names, without keys."""
        named = [role.hosts for role in self.roles.values()]
        named += [each.hosts or () for each in self.accessories.values()]
        named += [(self.build.host,)] if self.build.host else []
        found = {
            host.name: Host(
                user=host.user,
                port=host.port,
                platform=self.hosts.get(host.name, HostTable()).platform,
            )
            for some in named
            for host in map(addresses.parse, some)
        }
        return dict(sorted(found.items()))


def parse(files: Mapping[str, bytes]) -> Config:
    """Return the configuration in `files` (name to content, each merged over those before it).

    Raises UsageError with every problem at once.
    """
    return judge(documents.read(files))


def judge(read: Sequence[Document]) -> Config:
    """Return the configuration that the documents make. Raises UsageError with every problem."""
    merged, found = documents.laid_over(read)
    config, wrong = convert(merged, Config)
    found += wrong
    found += rules.check(merged, {problem.path for problem in found})
    if config is None or found:
        raise complain(read, sorted(found, key=_in_file_order(merged)))
    return config


def _in_file_order(merged: dict[str, Any]) -> Any:
    tables = list(merged)

    def position(problem: Problem) -> tuple[int, str]:
        first = problem.path[0] if problem.path else ""
        return (tables.index(first) if first in tables else len(tables), problem.key)

    return position
