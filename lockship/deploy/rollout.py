"""The rollout: observe, plan, apply, over all hosts together (laws 5 and 6).

First every host ends its `stage`; only then does any begin its `switch`; a failure before or in
the switch takes everything back. What is begun is written down before it is tried, so that the
way back covers a step that failed half-way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from lockship.deploy import journal, names
from lockship.deploy.apply import Work, apply
from lockship.deploy.fleet import attention, connected, each, gathered, used_hosts
from lockship.deploy.mutex import Mutex, MutexHeld, hold
from lockship.deploy.observe import observe
from lockship.deploy.plan import Command, plan, undo
from lockship.deploy.probe import Halted
from lockship.deploy.state import HostState
from lockship.deploy.steps import HostPlan, Plan, Step
from lockship.deploy.supply import Supply
from lockship.errors import InterruptedByUser, LockshipError, RefusedError, UndoneError
from lockship.host.server import Server
from lockship.lock.fingerprint import build_key
from lockship.lock.model import Artifact, Lock
from lockship.progress import Event, Report, quiet

MUTEX_LEASE = 15.0  # seconds without a heartbeat after which a host lets go of the mutex
WAIT_STEP = 1.0  # seconds between two tries with --wait


@dataclass(frozen=True, slots=True)
class Result:
    """What a deploy did: nothing (`changed` False), or all of `plan`."""

    changed: bool
    plan: Plan


def require_artifact(lock: Lock) -> Artifact:
    """Return the lock's artifact. Raises RefusedError where what is locked isn't built."""
    if lock.artifact is None or lock.artifact.key != build_key(lock):
        raise RefusedError(
            f"{lock.service.name} {lock.service.version} isn't built.", hint="Run `lockship build`."
        )
    return lock.artifact


def look(lock: Lock, *, command: Command = "deploy", report: Report = quiet) -> Plan:
    """Observe all hosts and return what a deploy would do now. Changes nothing."""
    artifact = require_artifact(lock)
    with connected(lock, used_hosts(lock), report) as opened:
        servers = _all_connected(opened.done, opened.failed)
        return plan(lock, artifact, _observe(servers, lock), command)


def deploy(
    lock: Lock,
    *,
    performer: str,
    command: Command = "deploy",
    wait: bool = False,
    stop: threading.Event,
    report: Report = quiet,
) -> Result:
    """Bring every host to what the lock says, or leave every host as it was.

    `stop` set means: end cleanly. Raises LockshipError (1) where nothing was switched and what
    was started is removed, UndoneError (4) where a switch was taken back, AttentionError (5)
    where a host could not be brought back or not be read, InterruptedByUser (130).
    """
    artifact = require_artifact(lock)
    with connected(lock, used_hosts(lock), report) as opened:
        servers = _all_connected(opened.done, opened.failed)
        steps = plan(lock, artifact, _observe(servers, lock), command)
        if steps.empty:
            return Result(changed=False, plan=steps)
        with _mutexes(servers, lock, performer, wait=wait, stop=stop, report=report) as mutexes:
            # Between the first look and the mutex another deploy may have ended: look again.
            steps = plan(lock, artifact, _observe(servers, lock), command)
            with Supply(lock, artifact, servers, steps, report) as supply:
                work = Work(lock, artifact, supply.ship, threading.Event())
                run = _Rollout(servers, mutexes, work, steps, command, performer, stop, report)
                run.stage()
                run.switch()
                run.finish()
        return Result(changed=True, plan=steps)


def _all_connected(
    servers: Mapping[str, Server], failed: Mapping[str, LockshipError]
) -> dict[str, Server]:
    if failed:
        raise gathered(_count("can't be reached; nothing was changed", failed), failed)
    return dict(servers)


def _count(what: str, hosts: Mapping[str, object]) -> str:
    return f"{len(hosts)} host{'s' if len(hosts) > 1 else ''} {what}."


def _observe(servers: Mapping[str, Server], lock: Lock) -> list[HostState]:
    results = each(servers, lambda name: observe(servers[name], lock), parallel=len(servers))
    return results.values_or_raise("Not every host could be observed; nothing was changed.")


@contextmanager
def _mutexes(
    servers: Mapping[str, Server],
    lock: Lock,
    performer: str,
    *,
    wait: bool,
    stop: threading.Event,
    report: Report,
) -> Iterator[dict[str, Mutex]]:
    """Hold the mutex on every host, or on none."""
    info = journal.holder_info(lock, performer)
    waiting = False
    while True:
        results = each(
            servers,
            lambda name: hold(servers[name], names.mutex_path(lock), info, lease=MUTEX_LEASE),
            parallel=lock.deploy.parallel,
        )
        with ExitStack() as held:
            for mutex in results.done.values():
                held.enter_context(mutex)
            if not results.failed:
                yield dict(results.done)
                return
        busy = {h: e for h, e in results.failed.items() if isinstance(e, MutexHeld)}
        if not wait or len(busy) < len(results.failed):
            raise gathered("Another deploy holds the mutex; nothing was changed.", results.failed)
        if not waiting:
            waiting = True
            report(Event("note", f"waiting: {next(iter(busy.values())).message}"))
        if stop.wait(WAIT_STEP):
            raise InterruptedByUser("Interrupted while waiting; nothing was changed.")


@dataclass(slots=True)
class _Rollout:
    """One plan being applied. `begun` lists, by host, the steps that were begun, in order."""

    servers: Mapping[str, Server]
    mutexes: Mapping[str, Mutex]
    work: Work
    plan: Plan
    command: Command
    performer: str
    stop: threading.Event
    report: Report
    begun: dict[str, list[Step]] = field(default_factory=dict)

    def stage(self) -> None:
        """Get image, container and health on every host; else take all of it back and raise."""
        failed = self._phase(lambda host: host.stage)
        if not failed and not self.stop.is_set():
            return
        not_back = self._take_back()
        self._record("failed")
        if not_back:
            raise attention(
                "The deploy failed before the switch: the old version serves. "
                "What it had started could not be removed everywhere.",
                failed | not_back,
            )
        if self.stop.is_set():
            raise InterruptedByUser(
                "Interrupted: nothing was switched, what was started is removed.",
                hint="Run `lockship deploy` to begin again.",
            )
        raise gathered(
            "The deploy failed before the switch: the old version serves on every host, "
            "what was started is removed.",
            failed,
        )

    def switch(self) -> None:
        """Let the new containers serve and stop the old ones; else bring the old ones back."""
        failed = self._phase(lambda host: host.switch)
        if not failed and not self.stop.is_set():
            return
        not_back = self._take_back()
        self._record("attention" if not_back else "undone")
        if not_back:
            raise attention(
                "The deploy failed in the switch, and not every host could be brought back: "
                "hosts may serve different versions.",
                failed | not_back,
            )
        if self.stop.is_set() and not failed:
            raise InterruptedByUser(
                "Interrupted: the switch was taken back, the old version serves."
            )
        raise gathered(
            "The deploy failed in the switch and was undone: the old version serves.",
            failed,
            UndoneError,
        )

    def finish(self) -> None:
        """Record the release and remove what is no longer needed. Nothing here is taken back."""
        self.begun = {
            host.host: list(host.stage + host.switch + host.finish)
            for host in self.plan.hosts
            if not host.empty
        }
        not_recorded = self._record("deployed")
        self.work.halt.clear()
        failed = self._phase(lambda host: host.finish, together=False) | not_recorded
        if failed:
            raise attention(
                f"{self.plan.version} serves on every host, but not all of them could be tidied "
                "or recorded. `lockship deploy` finishes it.",
                failed,
            )

    def _phase(
        self, steps_of: Callable[[HostPlan], tuple[Step, ...]], *, together: bool = True
    ) -> dict[str, LockshipError]:
        """Apply one phase's steps on all hosts; `together`: the first failure halts the others."""
        todo = {host.host: steps_of(host) for host in self.plan.hosts if steps_of(host)}
        results = each(
            todo,
            lambda name: self._steps(name, todo[name]),
            parallel=self.work.lock.deploy.parallel,
            halt=self.work.halt if together else None,
            stop=self.stop if together else None,
        )
        return {h: e for h, e in results.failed.items() if not isinstance(e, Halted)}

    def _steps(self, host: str, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if self.work.halt.is_set():
                raise Halted(f"{host}: stopped, as the deploy is")
            self.begun.setdefault(host, []).append(step)
            self._one(host, step)

    def _one(self, host: str, step: Step) -> None:
        self.mutexes[host].check()
        self.report(Event("start", step.text, host))
        try:
            apply(step, self.servers[host], self.work)
        except LockshipError:
            self.report(Event("failed", step.text, host))
            raise
        except Exception as error:  # even a bug must not leave a fleet half switched
            self.report(Event("failed", step.text, host))
            raise LockshipError(f"{host}: {step.text}: {type(error).__name__}: {error}") from error
        self.report(Event("done", step.text, host))

    def _take_back(self) -> dict[str, LockshipError]:
        """Undo what was begun, as far as each host lets; return what could not be undone."""
        back = {host: undo(steps) for host, steps in self.begun.items()}

        def one(host: str) -> None:
            errors: list[LockshipError] = []
            for step in back[host]:
                try:
                    self._one(host, step)
                except LockshipError as error:
                    errors.append(error)
            if errors:
                raise errors[0]

        hosts = [host for host in back if back[host]]
        return dict(each(hosts, one, parallel=self.work.lock.deploy.parallel).failed)

    def _record(self, outcome: journal.Outcome) -> dict[str, LockshipError]:
        """Write the journal's line on every host that this deploy has changed."""

        def one(host: str) -> None:
            line = journal.entry(
                self.work.lock,
                self.work.artifact,
                host,
                command=self.command,
                outcome=outcome,
                performer=self.performer,
            )
            journal.append(self.servers[host], self.work.lock, line)

        touched = [plan.host for plan in self.plan.hosts if self.begun.get(plan.host)]
        return dict(each(touched, one, parallel=self.work.lock.deploy.parallel).failed)
