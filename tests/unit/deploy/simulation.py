"""A host in memory that obeys a plan's steps: what a real engine would hold after each.

Only for the property that needs thousands of hosts and failures: that a plan converges. The same
is shown on real engines in tests/fleet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from lockship.deploy import names
from lockship.deploy.assets.steps import BridgeAssets
from lockship.deploy.proxy import container as proxy_container
from lockship.deploy.proxy import route
from lockship.deploy.spec import container_spec
from lockship.deploy.state import Holder, HostState, ProxyState, RouteFile
from lockship.deploy.steps import (
    BootProxy,
    ChangeRoute,
    ConfirmContainer,
    CreateContainer,
    DrainContainer,
    ProbeContainer,
    Release,
    RemoveContainer,
    RemoveFile,
    RemoveImage,
    RemoveRoute,
    SetReleases,
    ShipImage,
    StartContainer,
    Step,
    StopContainer,
    StoreLock,
    SwitchRoute,
)
from lockship.host.types import Container, Published
from lockship.lock.image import Artifact
from lockship.lock.model import Lock
from lockship.lock.names import split_port
from lockship.secrets.secret import Secret


class StepFailed(Exception):  # noqa: N818
    """The simulated host refused a step."""


@dataclass
class SimulatedHost:
    name: str
    containers: dict[str, Container] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    releases: tuple[Release, ...] = ()
    stored: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)  # containers that never get healthy
    routes: dict[str, str] = field(default_factory=dict)  # the route files, by project
    proxy: Container | None = None
    deaf: bool = False  # the proxy's files change, and it doesn't follow
    in_flight: set[str] = field(default_factory=set)  # containers that may still have requests
    platform: str = ""

    def observe(self, artifact: Artifact) -> HostState:
        made = artifact.of(self.platform)
        running = [c for c in self.containers.values() if c.state == "running" and c.published]
        return HostState(
            host=self.name,
            containers=tuple(sorted(self.containers.values(), key=lambda c: c.name)),
            holders=tuple(Holder(c.name, c.labels[names.PROJECT], c.published) for c in running),
            releases=self.releases,
            images=tuple(sorted(self.images)),
            has_image=made is not None and made.image_id in self.images,
            proxy=ProxyState(
                self.proxy, "/routes", tuple(RouteFile(*each) for each in self.routes.items())
            ),
            platform=self.platform,
        )

    def routed(self, project: str = "shop") -> Container | None:
        """The container to which the proxy sends the project's requests; None: to nobody."""
        if project not in self.routes or self.proxy is None or self.proxy.state != "running":
            return None
        upstream = route.upstream_of(self.routes[project])
        if not upstream:
            return None
        return next(c for c in self.containers.values() if c.labels.get(names.UPSTREAM) == upstream)

    def serving(self) -> list[Container]:
        return [c for c in self.containers.values() if c.state == "running"]

    def end(self, name: str) -> None:
        """A container ends by itself."""
        self._set(name, "exited")

    def apply(self, step: Step, lock: Lock, artifact: Artifact) -> None:
        match step:
            case ShipImage(image_id=image_id):
                self.images.add(image_id)
            case StoreLock(fingerprint=fingerprint):
                self.stored.add(fingerprint)
            case CreateContainer(name=name, role=role):
                self._create(name, role, lock, artifact)
            case BridgeAssets(name=name, old=old):
                assert self.containers[name].state != "running", "it would serve without them"
                assert old in self.containers
            case StartContainer(name=name):
                self._start(name)
            case ProbeContainer(name=name):
                if self.containers[name].state != "running" or name in self.broken:
                    raise StepFailed(f"{name} isn't healthy")
            case ConfirmContainer(name=name):
                if self.containers[name].state != "running":
                    raise StepFailed(f"{name} doesn't run any more")
            case StopContainer(name=name):
                if name in self.containers:
                    self._set(name, "exited")
            case RemoveContainer(name=name):
                self.containers.pop(name, None)
            case RemoveImage(image_id=image_id):
                if all(c.image_id != image_id for c in self.containers.values()):
                    self.images.discard(image_id)
            case RemoveFile(path=path):
                self.stored.discard("sha256:" + path.rpartition("/")[2].removesuffix(".toml"))
            case SetReleases(releases=releases):
                self.releases = releases
            case BootProxy():
                assert lock.proxy
                spec = proxy_container.proxy_spec(lock.proxy.server, "id", "/routes")
                ports = _published(spec.ports)
                self.proxy = Container(
                    "p", spec.name, "id", "running", spec.labels, published=ports
                )
            case SwitchRoute(project=project, content=content):
                self.routes[project] = content
                if routed := self.routed(project):
                    self.in_flight.add(routed.name)
                if self.deaf and step.container:
                    raise StepFailed("the proxy doesn't follow")
            case ChangeRoute(project=project, content=content):
                self.routes[project] = content
            case RemoveRoute(project=project):
                self.routes.pop(project, None)
            case DrainContainer(name=name):
                routed = self.routed()
                assert routed is None or routed.name != name, "it would never be drained"
                self.in_flight.discard(name)

    def _create(self, name: str, role: str, lock: Lock, artifact: Artifact) -> None:
        secrets = {n: Secret("x") for n in lock.secrets}
        where = {"role_name": role, "host": self.name, "name": name}
        made = artifact.of(self.platform)
        assert made is not None, "it should have been refused"
        spec = container_spec(lock, made, secrets, **where)
        if name in self.containers or spec.image not in self.images:
            raise StepFailed(f"{name} can't be created")
        self.containers[name] = Container(
            id=name,
            name=name,
            image_id=spec.image,
            state="created",
            labels=spec.labels,
            published=_published(spec.ports),
        )

    def _start(self, name: str) -> None:
        container = self.containers[name]
        taken = {p for c in self.serving() if c.name != name for p in c.published}
        if taken & set(container.published):
            raise StepFailed(f"a port of {name} is in use")
        self._set(name, "running")

    def _set(self, name: str, state: str) -> None:
        changed = msgspec.structs.replace(self.containers[name], state=state)
        self.containers[name] = changed


def _published(ports: Iterable[str]) -> tuple[Published, ...]:
    split = [split_port(port) for port in ports]
    return tuple(
        Published(host, container, kind, address) for address, host, container, kind in split
    )
