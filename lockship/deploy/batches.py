"""Which hosts switch together: a first batch, the canary, and then the others. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lockship.deploy.steps import HostPlan

Batch = tuple[str, ...]


def batches(batch: int | str | None, hosts: Sequence[HostPlan]) -> tuple[Batch, ...]:
    """Return the hosts that switch, in the lock's order, in batches of at most `batch`.

    A percentage is of all hosts, rounded down, and one host at least; None is all at once. A host
    where nothing switches is in none.
    """
    switching = [host.host for host in hosts if host.switch]
    size = _size(batch, len(hosts))
    return tuple(tuple(switching[at : at + size]) for at in range(0, len(switching), size))


def _size(batch: int | str | None, hosts: int) -> int:
    if isinstance(batch, str):
        return max(1, hosts * int(batch.removesuffix("%")) // 100)
    return batch or max(1, hosts)
