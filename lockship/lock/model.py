"""The frozen model of a lockfile, version 1.

The tables and keys here are exactly those of the file (`rename="kebab"`): docs/lockfile.md is
their reference, checked against this module and those of its tables by a test. A Lock holds only
what follows from the repository's content and from pins: no clock, no random number, no name of who
prepared it (law 2).
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Final

from msgspec import Meta, field

from lockship.lock.accessory import Accessory
from lockship.lock.environment import HostTag, TagName
from lockship.lock.hooks import Hooks
from lockship.lock.image import Artifact, Image, LockedBuild
from lockship.lock.mirrors import MirrorName
from lockship.lock.names import (
    Destination,
    Digest,
    EnvName,
    HostKey,
    HostName,
    ObjectId,
    Port,
    RefPattern,
    RegistryName,
    RoleName,
    ServiceName,
    Tag,
    TreePath,
    UserName,
)
from lockship.lock.platform import Platform
from lockship.lock.proxy import Proxy
from lockship.lock.registry import Registry
from lockship.lock.role import Deploy, Healthcheck, Role
from lockship.lock.table import Table

LOCK_VERSION: Final = 1
LOCAL: Final = "local"  # the host that is this machine's own engine


class Service(Table, frozen=True):
    """What is deployed, and as which version."""

    name: ServiceName
    version: Tag
    destination: Destination | None = None


class Source(Table, frozen=True):
    """Where the content comes from. `tree` is the content tree: the root tree without lockfiles.

    `snapshot` is set when a dirty tree was forced: the commit under `refs/lockship/snapshots/`
    that holds it; `changes` then lists what it changes against `commit`, as `M path`, `A path`,
    `D path` or `T path`, in git's own quoting. `paths` are what the service is made of, where that
    isn't the whole repository: the content tree has nothing else.
    """

    commit: ObjectId
    tree: ObjectId
    subject: str
    author: str
    committed_at: str
    dirty: bool
    remote: str | None = None
    release: bool = False
    paths: tuple[TreePath, ...] = ()
    snapshot: ObjectId | None = None
    changes: tuple[str, ...] = ()


class Host(Table, frozen=True):
    """One server. `user` and `port` only where the configuration says them; else ssh's own.

    `platform` is whose image it runs, of several; what its engine is made for where absent.
    """

    user: UserName | None = None
    port: Port | None = None
    keys: tuple[HostKey, ...] = ()
    platform: Platform | None = None


class Policy(Table, frozen=True):
    """What a push must bring beside a true lock; the pre-push hook asks for it."""

    allow_dirty: bool = True
    require_artifact: bool = False
    require_fresh: tuple[RefPattern, ...] = ()
    require_signed: bool = False


class Lock(Table, frozen=True, kw_only=True):
    """One lockfile: everything that `build`, `deploy` and `hook` are told.

    `fingerprint` is over all tables except `[artifact]`. `secrets` are names with the sources where
    a deploy looks for them (`secrets.sources`), never values. `build` says nothing, and isn't
    in the file, where `image` has a digest.
    """

    lock_version: int
    fingerprint: Digest
    service: Service
    source: Source
    build: LockedBuild = LockedBuild()
    image: Image
    roles: Annotated[dict[RoleName, Role], Meta(min_length=1)]
    hosts: dict[HostName, Host]
    env: dict[EnvName, str] = field(default_factory=dict)
    tags: dict[TagName, HostTag] = field(default_factory=dict)
    secrets: dict[EnvName, str] = field(default_factory=dict)
    healthcheck: Healthcheck = Healthcheck()
    deploy: Deploy = Deploy()
    proxy: Proxy | None = None
    accessories: dict[RoleName, Accessory] = field(default_factory=dict)
    hooks: Hooks | None = None
    registry: Registry | None = None
    mirrors: dict[RegistryName, MirrorName] = field(default_factory=dict)
    policy: Policy | None = None
    artifact: Artifact | None = None

    def environment(self, role: str, host: str) -> dict[str, str]:
        """Return a container's clear variables: `[env]`, over it the role's, over it the tags'.

        No two tags of a host say the same variable.
        """
        of_tags = (tag.env for tag in self.tags.values() if host in tag.hosts)
        merged = self.env | self.roles[role].env
        return reduce(or_, of_tags, merged)

    def healthcheck_of(self, role: str) -> Healthcheck | None:
        """Return how a role's containers are seen healthy; None: by staying up alone."""
        own = self.roles[role].healthcheck
        if isinstance(own, Healthcheck):
            return own
        return self.healthcheck if own else None

    @property
    def short(self) -> str:
        """The fingerprint's first 8 hex digits, as in container names."""
        return self.fingerprint.removeprefix("sha256:")[:8]

    @property
    def project(self) -> str:
        """Service and destination in one word: the owner of containers and of a run folder."""
        parts = (self.service.name, self.service.destination)
        return ".".join(part for part in parts if part)

    @property
    def every_host(self) -> tuple[str, ...]:
        """The hosts of roles, then those of accessories, each once."""
        hosts = [name for role in self.roles.values() for name in role.hosts]
        hosts += [name for each in self.accessories.values() for name in each.hosts]
        return tuple(dict.fromkeys(hosts))

    @property
    def named_hosts(self) -> tuple[str, ...]:
        """Every host that the lock names: those, and the one that builds."""
        return tuple(dict.fromkeys([*self.every_host, *filter(None, [self.build.host])]))
