"""The tasks of the command line: which plan, on which hosts, in which order.

Each raises UsageError where the lock has no such role or host.
"""

from __future__ import annotations

from lockship.deploy.fleet import used_hosts
from lockship.deploy.operate import plans
from lockship.deploy.operate.run import Task
from lockship.deploy.rollout import require_artifact
from lockship.lock.model import Lock


def stop(lock: Lock, role: str | None, host: str | None) -> Task:
    """Stop containers on all hosts at the same time."""
    hosts = used_hosts(lock, role, host)
    return Task("stop", hosts, lambda state: plans.stop(lock, state, role), role)


def start(lock: Lock, role: str | None, host: str | None) -> Task:
    """Start the lock's containers on all hosts at the same time.

    Raises RefusedError where what is locked isn't built: it can't have been deployed.
    """
    hosts, artifact = used_hosts(lock, role, host), require_artifact(lock)
    return Task("start", hosts, lambda state: plans.start(lock, artifact, state, role), role)


def restart(lock: Lock, role: str | None, host: str | None) -> Task:
    """Restart the lock's containers, host after host: the others serve meanwhile.

    Raises RefusedError as `start` does.
    """
    hosts, artifact = used_hosts(lock, role, host), require_artifact(lock)
    return Task(
        "restart",
        hosts,
        lambda state: plans.restart(lock, artifact, state, role),
        role,
        one_by_one=True,
    )


def remove(lock: Lock, role: str | None, host: str | None) -> Task:
    """Remove containers, route and images on all hosts at the same time."""
    hosts = used_hosts(lock, role, host)
    return Task("remove", hosts, lambda state: plans.remove(lock, state, role), role)
