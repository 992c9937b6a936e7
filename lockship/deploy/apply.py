"""Carry out one step of a plan on one server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import msgspec

from lockship.deploy import names
from lockship.deploy.accessory import apply as accessory
from lockship.deploy.assets.bridge import bridge
from lockship.deploy.assets.steps import BridgeAssets
from lockship.deploy.foreign import ForeignImages
from lockship.deploy.mutex import Mutex
from lockship.deploy.probe import Halted, confirm, probe
from lockship.deploy.proxy import boot, switch
from lockship.deploy.proxy.drain import drain
from lockship.deploy.proxy.observe import SUFFIX
from lockship.deploy.proxy.switch import Ready
from lockship.deploy.spec import container_spec
from lockship.deploy.state import ProxyState
from lockship.deploy.steps import (
    BootProxy,
    ChangeRoute,
    ConfirmContainer,
    CreateContainer,
    DrainContainer,
    ProbeContainer,
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
from lockship.errors import LockshipError
from lockship.host.errors import WrongImage
from lockship.host.link import UNFINISHED
from lockship.host.server import Server
from lockship.host.types import ContainerSpec
from lockship.lock.image import Made
from lockship.lock.model import Lock
from lockship.progress import Event, Report
from lockship.secrets.secret import Secret


@dataclass(frozen=True, slots=True)
class Work:
    """What every step of one deploy shares.

    `ship` brings the image to a server; `images` are those that no build makes. `halt` is set when
    the work is to stop: a probe that waits ends then. `made` is each host's image, by its name, and
    nothing where no step needs one; `secrets` are the lock's, and none where no container is
    created; `files` are those of accessories that are created, by their blob; `proxies` are, by
    host, as they were seen; `ready` are the routes whose switch is prepared.
    """

    lock: Lock
    made: Mapping[str, Made]
    ship: Callable[[Server], None]
    images: ForeignImages
    halt: threading.Event
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    proxies: Mapping[str, ProxyState] = field(default_factory=dict)
    ready: dict[str, Ready] = field(default_factory=dict)

    def networks(self, host: str) -> tuple[str, ...]:
        """Return networks that a host surely has: a proxy runs in them."""
        proxy = self.proxies[host].container if host in self.proxies else None
        return proxy.networks if proxy is not None and proxy.state == "running" else ()

    def prepare_route(self, server: Server, step: SwitchRoute) -> None:
        """Do what of a route's switch changes nothing yet."""
        seen = self.proxies[server.name]
        self.ready[server.name] = switch.prepare(server, self.lock, step, self.secrets, seen)


def carry_out(step: Step, server: Server, work: Work, mutex: Mutex, report: Report) -> None:
    """Apply a step while the mutex is surely held, and report its begin and its end.

    Raises LockshipError, whatever went wrong: even a bug must not leave a fleet half switched.
    """
    mutex.check()
    report(Event("start", step.text, server.name))
    try:
        apply(step, server, work)
    except Halted:
        report(Event("stopped", step.text, server.name))
        raise
    except LockshipError:
        report(Event("failed", step.text, server.name))
        raise
    except Exception as error:
        report(Event("failed", step.text, server.name))
        what = f"{server.name}: {step.text}: {type(error).__name__}: {error}"
        raise LockshipError(what) from error
    report(Event("done", step.text, server.name))


def apply(step: Step, server: Server, work: Work) -> None:
    """Carry out `step`. Every step may be repeated: what is already so is left so."""
    match step:
        case ShipImage():
            work.ship(server)  # that it is the locked one is seen when a container is created
        case StoreLock(fingerprint=fingerprint):
            from lockship.lock.writer import dump  # with tomlkit, which an empty plan needs not

            _remove_unfinished(server, work.lock)
            server.write_file(names.stored_lock_path(work.lock, fingerprint), dump(work.lock))
        case CreateContainer(name=name, role=role):
            where = {"role_name": role, "host": server.name, "name": name}
            spec = container_spec(work.lock, _made(work, server.name), work.secrets, **where)
            _create(server, spec, work.networks(server.name))
        case BridgeAssets():
            bridge(server, step)
        case StartContainer(name=name, fresh=fresh):
            server.start(name, fresh=fresh)
        case ProbeContainer(name=name, role=role):
            probe(server, name, work.lock.healthcheck_of(role), stop=work.halt)
        case ConfirmContainer(name=name, role=role):
            confirm(server, name, work.lock.healthcheck_of(role))
        case StopContainer(name=name, timeout=timeout):
            server.stop(name, timeout)
        case RemoveContainer(name=name):
            server.remove(name)
        case RemoveImage(image_id=image_id):
            server.remove_image(image_id)
        case RemoveFile(path=path):
            server.remove_file(path)
        case SetReleases(releases=releases):
            data = msgspec.json.format(msgspec.json.encode(releases), indent=2)
            server.write_file(names.releases_path(work.lock), data + b"\n")
        case BootProxy():
            boot.boot(server, work.lock, boot.image_of(work.images, work.lock))
        case SwitchRoute():
            ready = work.ready.pop(server.name, None)
            switch.switch(server, work.lock, step, work.secrets, ready)
        case ChangeRoute():
            switch.change(server, work.lock, step)
        case RemoveRoute(project=project):
            switch.remove(server, work.lock, project)
        case DrainContainer(name=name, port=port, limit=limit):
            drain(server, name, port, limit)
        case _:
            accessory.apply(step, server, work)


def _remove_unfinished(server: Server, lock: Lock) -> None:
    """Remove the files that a deploy was writing when it was killed.

    It's safe under the mutex: nobody else writes there, or the route of this project.
    """
    folders = [names.project_folder(lock), names.locks_folder(lock)]
    if lock.proxy is not None:
        folders.append(names.proxy_folder(lock))
    _, found = server.look([], [(folder, UNFINISHED) for folder in folders])
    for folder, files in zip(folders, found, strict=True):
        for name in files:
            if folder != names.proxy_folder(lock) or name.startswith(f"{lock.project}{SUFFIX}."):
                server.remove_file(f"{folder}/{name}")


def _made(work: Work, host: str) -> Made:
    if host not in work.made:
        raise LockshipError("The lock isn't built.", hint="Run `lockship build`.")
    return work.made[host]


def _create(server: Server, spec: ContainerSpec, there: Collection[str]) -> None:
    """Create a container: the engine does so only from the very image that the lock names."""
    try:
        server.create(spec, there)
    except WrongImage:
        raise LockshipError(
            f"{server.name}: the image that arrived isn't the locked one "
            f"({spec.image.removeprefix('sha256:')[:12]}).",
            hint="Run `lockship build`, then `lockship deploy` again. Engines with and without"
            " containerd's image store (`docker info`) give an image two ids: let all be alike, or"
            " let the image go through a registry.",
        ) from None
