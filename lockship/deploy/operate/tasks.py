"""The tasks of the command line: which plan, on which hosts, in which order.

Each raises UsageError where the lock has no such role or host.
"""

from __future__ import annotations

from typing import Final

from lockship.deploy.fleet import used_hosts
from lockship.deploy.operate import plans
from lockship.deploy.operate import prune as pruning
from lockship.deploy.operate.run import Task
from lockship.deploy.platform import made_on
from lockship.deploy.proxy import boot as booting
from lockship.deploy.proxy import manage
from lockship.deploy.rollout import require_artifact
from lockship.errors import UsageError
from lockship.lock.model import Lock

_MESSAGE_SIZE: Final = 4000


def stop(lock: Lock, role: str | None, host: str | None) -> Task:
    """Stop containers on all hosts at the same time."""
    hosts = used_hosts(lock, role, host)
    return Task("stop", hosts, lambda state: plans.stop(lock, state, role), role)


def start(lock: Lock, role: str | None, host: str | None) -> Task:
    """Start the lock's containers on all hosts at the same time.

    Raises RefusedError where what is locked isn't built: it can't have been deployed.
    """
    hosts, artifact = used_hosts(lock, role, host), require_artifact(lock)
    return Task(
        "start",
        hosts,
        lambda state: plans.start(lock, made_on(lock, artifact, state), state, role),
        role,
    )


def restart(lock: Lock, role: str | None, host: str | None) -> Task:
    """Restart the lock's containers, host after host: the others serve meanwhile.

    Raises RefusedError as `start` does.
    """
    hosts, artifact = used_hosts(lock, role, host), require_artifact(lock)
    return Task(
        "restart",
        hosts,
        lambda state: plans.restart(lock, made_on(lock, artifact, state), state, role),
        role,
        one_by_one=True,
    )


def remove(lock: Lock, role: str | None, host: str | None) -> Task:
    """Remove containers, route and images on all hosts at the same time."""
    hosts = used_hosts(lock, role, host)
    return Task("remove", hosts, lambda state: plans.remove(lock, state, role), role)


def prune(lock: Lock, host: str | None, *, locks: bool) -> Task:
    """Remove what no kept release needs; with `locks` the stored locks, too."""
    hosts = used_hosts(lock, None, host)
    return Task(
        "prune",
        hosts,
        lambda state: pruning.prune(lock, state, locks=locks),
        observe=pruning.look,
    )


def maintenance_on(lock: Lock, message: str, host: str | None) -> Task:
    """Show the page on the hosts of the role behind the proxy.

    Raises UsageError where the lock has no proxy, or the message is no text or too long.
    """
    hosts, text = _proxied(lock, host), _checked(message)
    return Task("maintenance on", hosts, lambda state: plans.maintenance_on(lock, state, text))


def maintenance_off(lock: Lock, host: str | None) -> Task:
    """Take the page away again."""
    hosts = _proxied(lock, host)
    return Task("maintenance off", hosts, lambda state: plans.maintenance_off(lock, state))


def _proxied(lock: Lock, host: str | None) -> list[str]:
    booting.settings(lock)
    return manage.proxied_hosts(lock, host)


def _checked(message: str) -> str:
    try:
        size = len(message.encode())
    except UnicodeEncodeError as error:
        raise UsageError("The message isn't UTF-8.") from error
    if not message.strip() or size > _MESSAGE_SIZE:
        raise UsageError(f"A message has between 1 and {_MESSAGE_SIZE} bytes; this has {size}.")
    return message
