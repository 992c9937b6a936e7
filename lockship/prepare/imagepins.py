"""Pin images that are made elsewhere: by digest, so that a tag that moves moves nothing here.

Wherever a lock names such an image it is `NAME:TAG@sha256:...`, and for the bases of a build a line
of `[build.base]`. An image that is in no registry is `id:sha256:...` instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from lockship.errors import LockshipError
from lockship.host.types import RegistryAuth
from lockship.lock.model import Host, Lock
from lockship.lock.reference import parse_reference
from lockship.prepare import hosts
from lockship.prepare.config import Config
from lockship.progress import Event, Report

if TYPE_CHECKING:
    from lockship.host.engine import Engine

Pins = Mapping[str, str]


def named_by(config: Config, bases: Iterable[str]) -> tuple[str, ...]:
    """Return the images that need a pin: the Dockerfile's and those that the tables name.

    What has a digest in its name is pinned by who wrote it.
    """
    tables = [each.image for each in config.accessories.values()]
    tables += [config.proxy.server.image] if config.proxy else []
    return tuple(dict.fromkeys([*bases, *(name for name in tables if "@" not in name)]))


def pins_of(lock: Lock) -> dict[str, str]:
    """Return what a lock pins, by name."""
    tables = [each.image for each in lock.accessories.values()]
    tables += [lock.proxy.server.image] if lock.proxy else []
    behind = (name.partition("@") for name in tables)
    return {name: pin for name, _, pin in behind if pin} | lock.build.base


def base_pins(bases: Iterable[str], pins: Pins) -> dict[str, str]:
    """Return the pins of a build's base images, in order of names."""
    return {name: pins[name] for name in sorted(bases) if name in pins}


def with_pins(lock: Lock, bases: Iterable[str], pins: Pins) -> Lock:
    """Return the lock (not sealed yet) with each image's pin where it belongs."""
    build = msgspec.structs.replace(lock.build, base=base_pins(bases, pins))
    proxy = lock.proxy
    if proxy is not None:
        server = msgspec.structs.replace(proxy.server, image=_behind(proxy.server.image, pins))
        proxy = msgspec.structs.replace(proxy, server=server)
    accessories = {
        name: msgspec.structs.replace(each, image=_behind(each.image, pins))
        for name, each in lock.accessories.items()
    }
    return msgspec.structs.replace(lock, build=build, proxy=proxy, accessories=accessories)


def _behind(name: str, pins: Pins) -> str:
    return f"{name}@{pins[name]}" if name in pins else name


def means(asked: str, name: str) -> bool:
    """Tell whether `asked`, as a person types it, is the image `name`, with or without its tag."""
    one, other = parse_reference(asked), parse_reference(name)
    if asked == name or one is None or other is None:
        return asked == name
    tagged = ":" in asked.rpartition("/")[2]
    return one.repository == other.repository and (one.tag == other.tag or not tagged)


@dataclass(frozen=True)
class BuildHost:
    """The host whose engine builds: only it knows what the bases are that are in no registry."""

    name: str
    limit: float  # seconds to connect


def build_host(config: Config) -> BuildHost | None:
    """Return the build host that the configuration names."""
    if config.build.host is None:
        return None
    return BuildHost(hosts.parse(config.build.host).name, config.deploy.connect_timeout)


@contextmanager
def opened(names: Sequence[str], at: BuildHost | None, host: Host | None) -> Iterator[Engine]:
    """Connect to the engine that looks these images up: this machine's, or that of `at`."""
    from lockship.host.buildhost import engine_at
    from lockship.host.engine import connect

    with ExitStack() as undo:
        try:
            where = engine_at(at.name, host, at.limit) if at and host else connect()
            engine = undo.enter_context(where)
        except LockshipError as error:
            raise LockshipError(
                f"Docker doesn't answer, and only it can say what {', '.join(names)} is today.",
                details=error.details or [error.message],
                hint=error.hint,
            ) from error
        yield engine


def pin_images(
    names: Sequence[str],
    report: Report,
    at: BuildHost | None = None,
    host: Host | None = None,
    own: RegistryAuth | None = None,
    mirrors: Mapping[str, str] = MappingProxyType({}),
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Look images up: in an engine, this machine's or that of `at`, and through it in registries.

    `own` is the account of `[registry]`; `mirrors` are asked instead of their registries.
    Returns each one's pin by its name, and what a person should know. Raises LockshipError for the
    first one that isn't found, and where no engine answers.
    """
    if not names:
        return {}, ()
    # The Docker SDK takes longer to load than most runs of `prepare` do in all.
    from lockship.host.imagepin import look_up

    found: dict[str, str] = {}
    notes: list[str] = []
    with opened(names, at, host) as engine:
        for name in names:
            step = f"look up {name}"
            report(Event("start", step))
            try:
                pin = look_up(engine, name, own, lambda what: report(Event("note", what)), mirrors)
            except BaseException:
                report(Event("failed", step))
                raise
            report(Event("done", step))
            found[name] = pin.pin
            notes += [pin.note] if pin.note else []
    return found, tuple(notes)
