"""The mutex of every host of a rollout: held on all of them, or on none."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final

from lockship.deploy import journal, names
from lockship.deploy.fleet import each, gathered
from lockship.deploy.mutex import Mutex, MutexHeld, hold
from lockship.errors import InterruptedByUser, LockshipError
from lockship.host.server import Server
from lockship.lock.model import Lock
from lockship.progress import Event, Report

LEASE: Final = 15.0  # seconds without a heartbeat after which a host lets go of the mutex
_WAIT_STEP: Final = 1.0  # seconds between two tries with --wait


@contextmanager
def held_everywhere(
    servers: Mapping[str, Server],
    lock: Lock,
    performer: str,
    *,
    wait: bool,
    stop: threading.Event,
    report: Report,
) -> Iterator[Mapping[str, Mutex]]:
    """Hold the mutex on every host while the block runs.

    Raises LockshipError, with none held, where a host's is held by another deploy and `wait` is
    False, or can't be taken; InterruptedByUser where `stop` is set while it waits.
    """
    waiting = False
    while True:
        with ExitStack() as stack:
            held, failed = _take(servers, lock, performer, stack)
            if not failed:
                yield held
                return
        busy = [error for error in failed.values() if isinstance(error, MutexHeld)]
        if len(busy) < len(failed):
            raise gathered("The mutex can't be taken on every host; nothing was changed.", failed)
        if not wait:
            raise gathered("Another deploy holds the mutex; nothing was changed.", failed)
        if not waiting:
            waiting = True
            report(Event("note", f"waiting: {busy[0].message}"))
        if stop.wait(_WAIT_STEP):
            raise InterruptedByUser("Interrupted while waiting; nothing was changed.")


def _take(
    servers: Mapping[str, Server], lock: Lock, performer: str, stack: ExitStack
) -> tuple[dict[str, Mutex], dict[str, LockshipError]]:
    """Take the first host's mutex, then all others'; `stack` gives them back.

    The first by name decides: of two deploys that begin at the same moment one gets it, instead of
    each getting some, and both failing for the other's sake.
    """
    info = journal.holder_info(lock, performer)
    first, *others = sorted(servers)
    held: dict[str, Mutex] = {}
    for hosts in ([first], others):
        results = each(
            hosts,
            lambda name: hold(
                servers[name],
                names.mutex_path(lock),
                info,
                lease=LEASE,
                # A step under way must end then, too: a pull may wait for minutes.
                on_lost=servers[name].close,
            ),
            parallel=lock.deploy.parallel,
        )
        for name, mutex in results.done.items():
            held[name] = stack.enter_context(mutex)
        if results.failed:
            return held, dict(results.failed)
    return held, {}
