"""The frozen model of a lockfile, version 1.

The tables and keys here are exactly those of the file (`rename="kebab"`): docs/lockfile.md is
their reference, checked against this module by a test. A Lock holds only what follows from the
repository's content and from pins: no clock, no random number, no name of who prepared it (law 2).
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from lockship.lock.names import (
    ByteSize,
    CookieName,
    Destination,
    Digest,
    Email,
    EnvName,
    ErrorPages,
    HostKey,
    HostName,
    HttpPath,
    HttpsUrl,
    ImageReference,
    IpAddress,
    ListenAddress,
    Memory,
    Network,
    ObjectId,
    PathPrefix,
    Percent,
    Port,
    PublishedPort,
    RefPattern,
    Repository,
    RoleName,
    RunFolder,
    Seconds,
    ServiceName,
    SiteName,
    Tag,
    TreePath,
    UserName,
    Volume,
)

LOCK_VERSION: Final = 1
LOCAL: Final = "local"  # the host that is this machine's own engine


class Table(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """What all tables of a lockfile and of a configuration are: frozen and strict."""


class Service(Table, frozen=True):
    """What is deployed, and as which version."""

    name: ServiceName
    version: Tag
    destination: Destination | None = None


class Source(Table, frozen=True):
    """Where the content comes from. `tree` is the content tree: the root tree without lockfiles.

    `snapshot` is set when a dirty tree was forced: the commit under `refs/lockship/snapshots/`
    that holds it; `changes` then lists what it changes against `commit`, as `M path`, `A path`,
    `D path` or `T path`, in git's own quoting.
    """

    commit: ObjectId
    tree: ObjectId
    subject: str
    author: str
    committed_at: str
    dirty: bool
    remote: str | None = None
    release: bool = False
    snapshot: ObjectId | None = None
    changes: tuple[str, ...] = ()


class Build(Table, frozen=True):
    """How the image is built from the content tree."""

    context: TreePath = "."
    dockerfile: TreePath = "Dockerfile"
    target: str | None = None
    args: dict[EnvName, str] = {}
    platforms: tuple[str, ...] = ()


class Image(Table, frozen=True):
    """What the image is called. It is pushed when `repository` begins with a registry's name."""

    repository: Repository
    tag: Tag

    @property
    def reference(self) -> str:
        """`repository:tag`."""
        return f"{self.repository}:{self.tag}"

    @property
    def registry(self) -> str | None:
        """The registry's host and port, by Docker's rule; None when there is none.

        The first part of a name is a registry when it holds '.' or ':' or is 'localhost'
        (github.com/distribution/reference, normalize.go, splitDockerDomain).
        """
        first, slash, _ = self.repository.partition("/")
        named = "." in first or ":" in first or first == "localhost"
        return first if slash and named else None


class Role(Table, frozen=True):
    """Containers of one kind: where they run and how."""

    hosts: Annotated[tuple[HostName, ...], Meta(min_length=1)]
    command: tuple[str, ...] = ()
    ports: tuple[PublishedPort, ...] = ()
    volumes: tuple[Volume, ...] = ()
    labels: dict[str, str] = {}
    restart: Literal["no", "always", "unless-stopped", "on-failure"] = "unless-stopped"
    memory: Memory | None = None
    cpus: Annotated[float, Meta(gt=0, le=1024)] | None = None
    stop_timeout: Seconds = 10.0
    healthcheck: bool = True
    secrets: tuple[EnvName, ...] = ()
    order: Literal["stop-first"] | None = None  # None: the new one starts before the old one stops
    proxy: bool | None = None  # never False: a lock without a proxy says nothing of one


class Host(Table, frozen=True):
    """One server. `user` and `port` only where the configuration says them; else ssh's own."""

    user: UserName | None = None
    port: Port | None = None
    keys: tuple[HostKey, ...] = ()


class Healthcheck(Table, frozen=True):
    """How a container is seen healthy: HTTP where `path` is set, TCP where only `port` is.

    With neither, the image's own HEALTHCHECK; an image without one must stay up for `interval`
    seconds times `successes`. All times are in seconds.
    """

    path: HttpPath | None = None
    port: Port | None = None
    status: Annotated[tuple[Annotated[int, Meta(ge=100, le=599)], ...], Meta(min_length=1)] = (200,)
    interval: Seconds = 1.0
    timeout: Seconds = 5.0
    limit: Seconds = 30.0
    successes: Annotated[int, Meta(ge=1, le=100)] = 1


class Deploy(Table, frozen=True):
    """How a rollout goes. `retain` counts earlier versions kept on each host for a rollback.

    `batch` is how many hosts switch together (None: all); `batch_check` is a program of the machine
    that deploys, with its arguments; both times are in seconds.
    """

    run_folder: RunFolder = ".lockship"
    retain: Annotated[int, Meta(ge=1, le=100)] = 3
    parallel: Annotated[int, Meta(ge=1, le=1000)] = 32
    connect_timeout: Seconds = 15.0
    batch: Annotated[int, Meta(ge=1, le=1000)] | Percent | None = None
    batch_pause: Seconds | None = None
    batch_check: tuple[str, ...] = ()
    batch_check_timeout: Seconds | None = None


class ProxyServer(Table, frozen=True):
    """The proxy of a host, which all services there share. `bind` None: all addresses.

    `trusted` are those whose `X-Forwarded-*` headers are believed; `metrics` is where Prometheus
    finds the proxy's figures, and nobody else. `https_port` None: nothing is served over TLS.
    `acme_email` lets the proxy get certificates, from Let's Encrypt unless `acme_server` is given.
    """

    image: ImageReference = "traefik:v3.7"
    http_port: Port = 80
    https_port: Port | None = None
    bind: IpAddress | None = None
    access_log: bool = False
    trusted: tuple[Network, ...] = ()
    metrics: ListenAddress | None = None
    acme_email: Email | None = None
    acme_server: HttpsUrl | None = None


class ProxyTls(Table, frozen=True):
    """TLS for the service's host names: a certificate that the proxy gets, or one from secrets.

    `certificate` and `key` are names of secrets in PEM format. `redirect` sends clients from HTTP
    to HTTPS.
    """

    acme: bool = False
    certificate: EnvName | None = None
    key: EnvName | None = None
    redirect: bool = True


class Proxy(Table, frozen=True):
    """What the proxy sends to the role with `proxy = true`, and how.

    No `hosts`: whatever host a client names. No `path_prefixes`: every path. `drain` is how many
    seconds requests in flight get to end before an old container is stopped. `max_body` is the
    size from which a request is refused, and makes `buffering`; `sticky` a cookie's name, or True
    for one of the project's; `error_pages` a path in the container that answers instead of a 5xx.
    """

    port: Port
    hosts: tuple[SiteName, ...] = ()
    path_prefixes: tuple[PathPrefix, ...] = ()
    strip_prefix: bool = False
    response_timeout: Seconds = 30.0
    drain: Seconds = 30.0
    max_body: ByteSize | None = None
    buffering: bool = False
    sticky: bool | CookieName = False
    security_headers: bool = False
    error_pages: ErrorPages | None = None
    tls: ProxyTls | None = None
    server: ProxyServer = ProxyServer()


class Policy(Table, frozen=True):
    """What a push must bring beside a true lock; the pre-push hook asks for it."""

    allow_dirty: bool = True
    require_artifact: bool = False
    require_fresh: tuple[RefPattern, ...] = ()
    require_signed: bool = False


class Artifact(Table, frozen=True):
    """What `build` made. `key` names what it was built from (`lock.fingerprint.build_key`)."""

    key: Digest
    image_id: Digest
    digest: Digest | None = None


class Lock(Table, frozen=True):
    """One lockfile: everything that `build`, `deploy` and `hook` are told.

    `fingerprint` is over all tables except `[artifact]`. `secrets` are names with the sources where
    a deploy looks for them (`secrets.sources`), never values.
    """

    lock_version: int
    fingerprint: Digest
    service: Service
    source: Source
    build: Build
    image: Image
    roles: Annotated[dict[RoleName, Role], Meta(min_length=1)]
    hosts: dict[HostName, Host]
    env: dict[EnvName, str] = {}
    secrets: dict[EnvName, str] = {}
    healthcheck: Healthcheck = Healthcheck()
    deploy: Deploy = Deploy()
    proxy: Proxy | None = None
    policy: Policy | None = None
    artifact: Artifact | None = None

    @property
    def short(self) -> str:
        """The fingerprint's first 8 hex digits, as in container names."""
        return self.fingerprint.removeprefix("sha256:")[:8]

    @property
    def project(self) -> str:
        """Service and destination in one word: the owner of containers and of a run folder."""
        parts = (self.service.name, self.service.destination)
        return ".".join(part for part in parts if part)
