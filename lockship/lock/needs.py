"""Which of the secrets are for what: those of a role that names none are the ones left over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from lockship.lock.image import Build
from lockship.lock.names import EnvName
from lockship.lock.proxy import Proxy
from lockship.lock.registry import Registry


class _Beside(Protocol):
    """An accessory, as a configuration or a lock has it."""

    @property
    def secrets(self) -> tuple[EnvName, ...]: ...


def of_others(
    build: Build, registry: Registry | None, proxy: Proxy | None, accessories: Iterable[_Beside]
) -> Iterator[str]:
    """Yield the names of the secrets that are somebody's who isn't a role."""
    yield from for_building(build, registry)
    yield from for_proxy(proxy)
    for each in accessories:
        yield from each.secrets


def for_building(build: Build, registry: Registry | None) -> tuple[str, ...]:
    """Return the names of the secrets that building and pushing the image takes."""
    password = (registry.password,) if registry else ()
    return (*build.secrets, *(name for name in password if name not in build.secrets))


def for_proxy(proxy: Proxy | None) -> tuple[str, ...]:
    """Return the names of the secrets that are the proxy's."""
    tls = proxy.tls if proxy else None
    return tuple(name for name in (tls.certificate, tls.key) if name) if tls else ()
