"""Which ports of a host are whose, and whether two of them can't be held at once."""

from __future__ import annotations

from collections.abc import Iterable

from lockship.deploy import names
from lockship.deploy.accessory.labels import ACCESSORY, OWNER
from lockship.deploy.state import Holder
from lockship.errors import LockshipError
from lockship.host.types import Container, Published
from lockship.lock.model import Lock
from lockship.lock.names import split_port


def holders(listed: Iterable[Container]) -> tuple[Holder, ...]:
    """Return, of all containers of a host, those that publish ports, of whatever project."""
    return tuple(
        Holder(
            name=each.name,
            project=each.labels.get(names.PROJECT, ""),
            published=each.published,
            accessory=each.labels.get(ACCESSORY, ""),
            owner=each.labels.get(OWNER, ""),
        )
        for each in listed
        if each.published
    )


def wished(ports: Iterable[str]) -> list[Published]:
    """Return ports as a lock writes them, as those that a container has."""
    split = map(split_port, ports)
    return [Published(host, inside, protocol, address) for address, host, inside, protocol in split]


def taken(holder: Holder, wanted: Iterable[Published]) -> Published | None:
    """Return the first port that a container holds and another one wants; None: there is none."""
    some = list(wanted)
    return next((p for p in holder.published if any(_clash(w, p) for w in some)), None)


def port_taken(host: str, port: Published, holder: Holder, lock: Lock) -> LockshipError:
    """Return the error for a port that somebody else's container, or an accessory, holds."""
    stranger = "" if holder.accessory else f", which isn't of {lock.project}"
    hint = "Stop that container, or publish another port in lockship.toml."
    if holder.owner == lock.project:
        again = f"`lockship accessory reboot {holder.accessory}`"
        hint = f"Give one of the two another port in lockship.toml; then prepare, and {again}."
    return LockshipError(
        f"{host}: port {port.host_port}/{port.protocol} is in use by {whose(holder)}{stranger}.",
        hint=hint,
    )


def whose(holder: Holder) -> str:
    """Say which container holds a port."""
    if holder.accessory:
        return f"the accessory {holder.accessory} of {holder.owner} (container {holder.name})"
    return f"the container {holder.name}"


def _clash(one: Published, other: Published) -> bool:
    """Whether two published ports can't be held at once. '' and 0.0.0.0 are all addresses."""
    everywhere = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, not bound to
    return (one.host_port, one.protocol) == (other.host_port, other.protocol) and (
        one.address == other.address or one.address in everywhere or other.address in everywhere
    )
