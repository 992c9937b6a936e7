"""Trust a host's keys because a person compared them: no known_hosts needed, before or after."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from lockship.errors import RefusedError, UsageError
from lockship.git import Repository
from lockship.lock import writer
from lockship.lock.fingerprint import sealed
from lockship.lock.model import LOCAL, Host, Lock
from lockship.lock.place import service_folder
from lockship.prepare import hosts as addresses
from lockship.prepare.hostscan import presented
from lockship.prepare.knownhosts import fingerprint
from lockship.prepare.previous import lock_path


class Offer(Struct, frozen=True):
    """What a host shows now, beside what is pinned: keys as in known_hosts."""

    name: str
    pinned: tuple[str, ...]
    shown: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether all that it shows is pinned already."""
        return set(self.shown) <= set(self.pinned)


def lock_file(start: Path, destination: str | None) -> Path:
    """Return where the lock of the service around `start` is, or will be."""
    root = Repository.discover(start).root
    return lock_path(service_folder(start, root, destination), destination)


def offers(names: Sequence[str], lock: Lock | None) -> list[Offer]:
    """Ask hosts for their keys: those of the lock by their names there, others as written.

    Raises UsageError for what is no host, LockshipError where one doesn't answer.
    """
    found = []
    for text in dict.fromkeys(names):
        name, host = _host(text, lock)
        found.append(Offer(name, host.keys, presented(name, host)))
    return found


def _host(text: str, lock: Lock | None) -> tuple[str, Host]:
    locked = lock.hosts if lock else {}
    try:
        address = addresses.parse(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no host.", hint=f"A host is {addresses.EXPECTED}."
        ) from error
    if address.name == LOCAL:
        raise UsageError("'local' is this machine: it has no host key.", hint="Name a server.")
    if address.name in locked:
        return address.name, locked[address.name]
    return address.name, Host(user=address.user, port=address.port)


def chosen(offer: Offer, fingerprints: Collection[str]) -> tuple[str, ...]:
    """Return the keys with one of these fingerprints. Raises RefusedError where there is none."""
    found = tuple(key for key in offer.shown if fingerprint(key) in fingerprints)
    if not found:
        raise RefusedError(
            f"{offer.name} shows none of these fingerprints.",
            details=[f"expected: {each}" for each in fingerprints]
            + [f"shown:    {line}" for line in described(offer.shown)],
            hint="Look at the host itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        )
    return found


def described(keys: Sequence[str]) -> list[str]:
    """Return a line for each key: its fingerprint and its type, as ssh shows them."""
    return [f"{fingerprint(key)} ({_kind(key.split()[0])})" for key in keys]


def _kind(name: str) -> str:
    return name.removeprefix("ssh-").partition("-")[0].upper()


def pin_in_lock(path: Path, lock: Lock, keys: Mapping[str, tuple[str, ...]]) -> Lock:
    """Write the lock with these keys of its hosts, all else as it is, and return it."""
    hosts = {
        name: msgspec.structs.replace(host, keys=keys.get(name, host.keys))
        for name, host in lock.hosts.items()
    }
    changed = sealed(msgspec.structs.replace(lock, hosts=hosts))
    writer.write(path, changed)
    return changed
