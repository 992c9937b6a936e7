"""What can happen to a host in the middle of a deploy, and what it may cost."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.harness import TestHost

LEASE = 15
"""Seconds without a heartbeat after which the mutex is lost, and its holder lets go of the host."""
ENGINE_CALL = 60
"""Seconds that lockship waits for an engine's answer."""


@dataclass(frozen=True)
class Fault:
    """`limit`: seconds after which no command may be at it any more.

    `costs`: requests at this host may fail while it lasts; where not, none may. Requests at other
    hosts never may.
    """

    name: str
    inject: Callable[[TestHost], None]
    mend: Callable[[TestHost], None]
    limit: float
    costs: bool


def _kept_alive(host: TestHost) -> None:
    """Kill the engine where its containers outlive it, as `live-restore` says; start it soon."""
    _live_restore(host, on=True)
    host.machine.kill("dockerd")


def _start_again(host: TestHost) -> None:
    host.start_engine()
    _live_restore(host, on=False)


def _live_restore(host: TestHost, *, on: bool) -> None:
    file = host.root / "etc/docker/daemon.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"live-restore": on}))
    host.machine.signal(signal.SIGHUP, "dockerd")
    wanted = "true" if on else "false"
    for _ in range(50):
        if host.docker("info", "--format", "{{.LiveRestoreEnabled}}").strip() == wanted:
            return
        time.sleep(0.1)
    raise AssertionError(f"live-restore isn't {wanted}")


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("connection cut", TestHost.stop_sshd, TestHost.start_sshd, 15, costs=False),
        Fault("sshd frozen", TestHost.freeze_sshd, TestHost.thaw_sshd, 2 * LEASE, costs=False),
        Fault("engine killed", TestHost.kill_engine, TestHost.start_engine, 15, costs=True),
        Fault("engine stopped", TestHost.stop_engine, TestHost.start_engine, 15, costs=True),
        Fault("engine killed, live-restore", _kept_alive, _start_again, 15, costs=True),
        Fault("engine frozen", TestHost.freeze_engine, TestHost.thaw_engine, 150, costs=True),
        Fault(
            "network dropped",
            TestHost.drop_network,
            TestHost.restore_network,
            2 * LEASE,
            costs=True,
        ),
        Fault("host frozen", TestHost.freeze, TestHost.thaw, 2 * LEASE, costs=True),
    )
}
