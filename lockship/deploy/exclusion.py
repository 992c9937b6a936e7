"""The mutex of every host of a rollout: held on all of them, or on none."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import Final

from lockship.deploy import journal, mutex, names
from lockship.deploy.fleet import each, gathered
from lockship.deploy.mutex import Mutex, MutexHeld, hold
from lockship.errors import InterruptedByUser, LockshipError
from lockship.host.process import Process
from lockship.host.server import Server
from lockship.lock.model import Lock
from lockship.progress import Event, Report

LEASE: Final = 15.0  # seconds without a heartbeat after which a host lets go of the mutex
_WAIT_STEP: Final = 1.0  # seconds between two tries with --wait


Doors = dict[str, "Future[Process]"]
"""By host, the program that is ready to take its mutex."""


def at_the_door(server: Server, lock: Lock) -> Future[Process]:
    """Begin to start the program that may take the service's mutex on a host."""
    return mutex.at_the_door(server, names.mutex_path(lock), lease=LEASE)


@contextmanager
def held_everywhere(
    servers: Mapping[str, Server],
    lock: Lock,
    performer: str,
    *,
    doors: Doors | None = None,
    wait: bool,
    stop: threading.Event,
    report: Report,
) -> Iterator[Mapping[str, Mutex]]:
    """Hold the mutex on every host while the block runs.

    `doors` are those that were begun before, and are used once. Raises LockshipError, with none
    held, where a host's is held by another deploy and `wait` is False, or can't be taken;
    InterruptedByUser where `stop` is set while it waits.
    """
    waiting = False
    while True:
        with ExitStack() as stack:
            held, failed = _take(servers, doors or {}, lock, performer, stack)
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
    servers: Mapping[str, Server], doors: Doors, lock: Lock, performer: str, stack: ExitStack
) -> tuple[dict[str, Mutex], dict[str, LockshipError]]:
    """Take the first host's mutex, then all others'; `stack` gives them back.

    The first by name decides: of two deploys that begin at the same moment one gets it, instead of
    each getting some, and both failing for the other's sake.
    """
    info = journal.holder_info(lock, performer)
    first, *others = sorted(servers)
    held: dict[str, Mutex] = {}
    stack.callback(_release, held)
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
                begun=doors.pop(name, None),
            ),
            parallel=lock.deploy.parallel,
        )
        held |= results.done
        if results.failed:
            return held, dict(results.failed)
    return held, {}


def _release(held: Mapping[str, Mutex]) -> None:
    """Give all of these back, at the same time."""
    each(held, lambda name: held[name].release(), parallel=max(1, len(held)))
