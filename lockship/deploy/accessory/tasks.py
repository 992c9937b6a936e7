"""The tasks of `lockship accessory`: which plan, on which hosts.

`name` None means all. Each raises UsageError where the lock has no such accessory or host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lockship.deploy.accessory import plans
from lockship.deploy.accessory.judge import differences
from lockship.deploy.accessory.observe import look
from lockship.deploy.fleet import every_host
from lockship.deploy.operate.run import Task
from lockship.errors import UsageError
from lockship.lock.accessory import Accessory
from lockship.lock.model import Lock
from lockship.secrets.secret import Secret


@dataclass(frozen=True, slots=True)
class Given:
    """What containers get: secrets by name, files by their blob in git."""

    secrets: Mapping[str, Secret] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


def boot(lock: Lock, name: str | None, host: str | None, given: Given) -> Task:
    """Create and start what isn't there or doesn't run."""
    names = list(chosen(lock, name))
    return Task(
        "accessory boot",
        hosts_of(lock, name, host),
        lambda state: plans.boot(lock, state, names),
        observe=look,
        accessories=names,
        secrets=given.secrets,
        files=given.files,
        notes=lambda state: differences(lock, state, names),
    )


def reboot(lock: Lock, name: str | None, host: str | None, given: Given) -> Task:
    """Replace containers by those that the lock describes, host after host."""
    names = list(chosen(lock, name))
    return replace(
        boot(lock, name, host, given),
        command="accessory reboot",
        plan=lambda state: plans.reboot(lock, state, names),
        one_by_one=True,
        notes=lambda _: (),
    )


def remove(lock: Lock, name: str | None, host: str | None, *, volumes: bool) -> Task:
    """Remove containers, with `volumes` their named volumes too; also what is no longer locked.

    Of an accessory that isn't locked nobody knows the volumes: that is a UsageError.
    """
    if volumes and name is not None:
        chosen(lock, name)
    names = None if name is None else [name]
    return Task(
        "accessory remove",
        every_host(lock, host),
        lambda state: plans.remove(lock, state, names, volumes=volumes),
        observe=look,
        accessories=names or list(lock.accessories) or ["all"],
    )


def chosen(lock: Lock, name: str | None) -> Mapping[str, Accessory]:
    """Return the accessory of this name, or all."""
    if not lock.accessories:
        raise UsageError(
            f"{lock.project} has no accessories in its lock.",
            hint="Give lockship.toml an [accessories.NAME] table, then prepare.",
        )
    if name is None:
        return lock.accessories
    if name not in lock.accessories:
        raise UsageError(
            f"The lock has no accessory {name}.", hint=f"There are: {', '.join(lock.accessories)}."
        )
    return {name: lock.accessories[name]}


def hosts_of(lock: Lock, name: str | None, host: str | None) -> list[str]:
    """Return the hosts of the accessories that are chosen, each once, or the one asked for."""
    some = [each for table in chosen(lock, name).values() for each in table.hosts]
    hosts = list(dict.fromkeys(some))
    if host is not None and host not in hosts:
        where = f"accessory {name}" if name else "an accessory"
        raise UsageError(
            f"The lock has no host {host} with {where}.", hint=f"There are: {', '.join(hosts)}."
        )
    return [host] if host is not None else hosts
