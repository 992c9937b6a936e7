"""Install Docker where it's missing, by the system's own packages: shown first, then done."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from lockship.deploy.fleet import connected, each, gathered
from lockship.deploy.servers.facts import see
from lockship.deploy.servers.plans import Command, Lacks, lacks
from lockship.errors import InterruptedByUser, LockshipError
from lockship.host.server import Server
from lockship.lock.model import Lock
from lockship.progress import Event, Report, quiet

_SILENCE: Final = 300.0  # seconds without a line from a package manager
_END: Final = 60.0  # seconds from the end of its output to its own end
_TOLD: Final = 20  # lines of a command that failed


def look(lock: Lock, hosts: Sequence[str], *, report: Report = quiet) -> tuple[Lacks, ...]:
    """Return what each host lacks. Raises LockshipError where one can't be reached."""
    with connected(lock, hosts, report) as opened:
        if opened.failed:
            raise gathered("Not every host can be reached; nothing was changed.", opened.failed)
        results = each(opened.done, lambda n: _lacks(opened.done[n]), parallel=len(hosts))
        return tuple(results.values_or_raise("Not every host could be looked at."))


def bootstrap(
    lock: Lock, agreed: Sequence[Lacks], *, stop: threading.Event, report: Report = quiet
) -> None:
    """Run what was agreed to on every host at once, and see that each engine answers then.

    Raises LockshipError, naming each host that isn't ready: what was installed stays, and a second
    run goes on from there. InterruptedByUser where `stop` is set: it ends behind the command that
    runs, since half of a package helps nobody.
    """
    todo = {lacking.host: lacking.commands for lacking in agreed if lacking.commands}

    def one(host: str) -> None:
        with connected(lock, [host], report) as opened:
            (server,) = opened.values_or_raise(f"{host} can't be reached.")
            for command in todo[host]:
                if stop.is_set():
                    raise InterruptedByUser(f"{host}: stopped before `{' '.join(command.argv)}`")
                _run(server, command, report)
        # A new login: groups are given at login, and one that was just joined counts only then.
        with connected(lock, [host], report) as opened:
            (server,) = opened.values_or_raise(f"{host} can't be reached any more.")
            server.engine_info()

    failed = dict(each(todo, one, parallel=lock.deploy.parallel).failed)
    if stop.is_set() and all(isinstance(error, InterruptedByUser) for error in failed.values()):
        raise InterruptedByUser("Interrupted; the same command goes on where it was.")
    if failed:
        raise gathered("Not every host is ready.", failed)


def _lacks(server: Server) -> Lacks:
    seen = see(server)
    return lacks(server.name, seen.facts, engine=seen.engine is not None)


def _run(server: Server, command: Command, report: Report) -> None:
    step = " ".join(command.argv)
    report(Event("start", step, server.name))
    process = server.spawn(command.argv)
    said: list[str] = []
    try:
        process.close_input()
        while line := process.readline(_SILENCE):
            said.append(line.decode(errors="replace").rstrip())
            report(Event("line", said[-1], server.name))
        status = process.wait(_END)
    except TimeoutError as error:
        report(Event("failed", step, server.name))
        raise LockshipError(f"{server.name}: `{step}`: {error}") from error
    finally:
        process.close()
    if status:
        report(Event("failed", step, server.name))
        raise LockshipError(
            f"{server.name}: `{step}` ended with status {status}",
            details=[*said, *process.errors().splitlines()][-_TOLD:],
            hint="mend that on the host; the same command goes on from there",
        )
    report(Event("done", step, server.name))
