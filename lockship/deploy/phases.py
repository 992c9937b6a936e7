"""One plan being applied, in its three phases; and the way back.

First every host ends its `stage`; only then does any begin its `switch`; a failure before or in
the switch takes everything back. What is begun is written down before it is tried, so that the
way back covers a step that failed half-way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from lockship.deploy import ending, journal
from lockship.deploy.apply import Work, carry_out
from lockship.deploy.between import Between, CheckFailed
from lockship.deploy.fleet import each
from lockship.deploy.goals import roles_on
from lockship.deploy.moments import Ask, asked_before_switch
from lockship.deploy.mutex import Mutex, MutexLost
from lockship.deploy.plan import Command, release_of
from lockship.deploy.probe import Halted
from lockship.deploy.proxy.switch import drop
from lockship.deploy.steps import (
    ConfirmContainer,
    DrainContainer,
    Plan,
    ProbeContainer,
    RemoveRoute,
    StartContainer,
    Step,
    StoreLock,
    SwitchRoute,
)
from lockship.deploy.undo import undo
from lockship.errors import LockshipError
from lockship.host.ahead import both
from lockship.host.errors import HostError
from lockship.host.journal import Outcome
from lockship.host.server import Server
from lockship.progress import Report

Failed = dict[str, LockshipError]
Apply = Callable[[str, tuple[Step, ...]], None]


@dataclass(slots=True)
class Phases:
    """One plan being applied.

    `served` are the versions that hosts served before it; `begun` lists, by host, the steps that
    were begun, in order.
    """

    servers: Mapping[str, Server]
    mutexes: Mapping[str, Mutex]
    work: Work
    plan: Plan
    command: Command
    performer: str
    skipped: tuple[str, ...]
    stop: threading.Event
    report: Report
    served: Mapping[str, str] = field(default_factory=dict)
    begun: dict[str, list[Step]] = field(default_factory=dict)

    def stage(self, before_switch: Ask) -> None:
        """Get image, container and health on every host; else take all of it back and raise.

        Then `before_switch` may still say no.
        """
        failed = self._together({host.host: host.stage for host in self.plan.hosts}, self._staging)
        if not failed and asked_before_switch(self.plan) and not self.stop.is_set():
            try:
                before_switch(self.report, self.stop)
            except LockshipError as error:
                failed = {} if self.stop.is_set() else {"pre-switch": error}
        if failed or self.stop.is_set():
            raise ending.of_stage(self._end(failed, "failed"))

    def switch(self) -> None:
        """Let the new containers serve, batch by batch; else bring the old ones back everywhere."""
        switch = {host.host: host.switch for host in self.plan.hosts}
        for number, hosts in enumerate(self.plan.batches, start=1):
            if number > 1 and ((failed := self._between(number - 1)) or self.stop.is_set()):
                raise ending.of_switch(self._end(failed, "undone"))
            # One that died while others were waited for is seen before any of its batch switches.
            failed = self._together({h: switch[h] for h in hosts}, self._ready)
            if number == 1 and (failed or self.stop.is_set()):
                raise ending.of_stage(self._end(failed, "failed"))
            failed = failed or self._together({h: _changing(switch[h]) for h in hosts})
            if failed or self.stop.is_set():
                raise ending.of_switch(self._end(failed, "undone"))

    def finish(self) -> None:
        """Record the release and remove what is no longer needed. Nothing here is taken back."""
        touched = [host.host for host in self.plan.hosts if not host.empty]
        finish = {host.host: host.finish for host in self.plan.hosts if host.finish}
        drains = {host: _drains(steps) for host, steps in finish.items()}
        self.work.halt.clear()
        # Requests in flight end by themselves, so they may while it is recorded.
        failed, not_drained = both(
            lambda: self._record(touched, "deployed"),
            lambda: self._each(drains, lambda host: self._steps(host, drains[host])),
        )
        failed |= not_drained
        # A host without its line in the journal isn't finished: the next deploy writes both.
        todo = {
            host: tuple(step for step in steps if step not in drains[host])
            for host, steps in finish.items()
            if host not in failed
        }
        failed |= self._each(todo, lambda host: self._steps(host, todo[host]))
        if failed:
            raise ending.of_finish(self.plan.version, failed)

    def _end(self, failed: Failed, outcome: Outcome) -> ending.Ending:
        """Take back what was begun, and record that."""
        not_back = self._take_back()
        touched = list(self.begun)
        unrecorded = self._record(touched, "attention" if not_back else outcome)
        return ending.Ending(
            failed=failed,
            not_back=not_back,
            back=[host for host in touched if host not in not_back],
            unrecorded=unrecorded,
            interrupted=self.stop.is_set(),
            served=self.served,
            version=self.plan.version,
        )

    def _between(self, number: int) -> Failed:
        """Wait and check, as the lock says, after batch `number`."""
        between = Between(
            self.work.lock, number, self.plan.batches, self.stop, self._still_held, self.report
        )
        try:
            between.wait()
        except MutexLost as error:
            return {error.host: error}
        except CheckFailed as error:
            return {"batch-check": error}
        return {}

    def _still_held(self) -> None:
        for mutex in self.mutexes.values():
            mutex.check()

    def _together(self, steps: Mapping[str, tuple[Step, ...]], do: Apply | None = None) -> Failed:
        """Apply steps on their hosts at the same time; the first failure halts the others."""
        todo = {host: some for host, some in steps.items() if some}
        apply = do or self._steps
        results = each(
            todo,
            lambda host: apply(host, todo[host]),
            parallel=self.work.lock.deploy.parallel,
            halt=self.work.halt,
            stop=self.stop,
        )
        return {h: e for h, e in results.failed.items() if not isinstance(e, Halted)}

    def _each(self, hosts: Iterable[str], do: Callable[[str], None]) -> Failed:
        def guarded(host: str) -> None:
            try:
                do(host)
            except LockshipError:
                raise
            except Exception as error:  # even a bug must not keep the other hosts' state untold
                raise LockshipError(f"{host}: {type(error).__name__}: {error}") from error

        return dict(each(hosts, guarded, parallel=self.work.lock.deploy.parallel).failed)

    def _staging(self, host: str, steps: tuple[Step, ...]) -> None:
        """Apply the stage's steps; the lock's copy is written while a container becomes healthy.

        Nothing needs it before the stage has ended, and nothing takes it back.
        """
        copy = tuple(step for step in steps if isinstance(step, StoreLock))
        rest = tuple(step for step in steps if not isinstance(step, StoreLock))
        probes = [n for n, step in enumerate(rest) if isinstance(step, ProbeContainer)]
        first = probes[0] if probes else len(rest)
        self._steps(host, rest[:first])
        both(lambda: self._steps(host, rest[first:]), lambda: self._steps(host, copy))

    def _ready(self, host: str, steps: tuple[Step, ...]) -> None:
        """See that the new containers still run, while the route's switch is prepared."""
        confirms = tuple(step for step in steps if isinstance(step, ConfirmContainer))
        routes = [step for step in steps if isinstance(step, SwitchRoute)]

        def prepare() -> None:
            for step in routes:
                self.mutexes[host].check()
                self.work.prepare_route(self.servers[host], step)

        both(lambda: self._steps(host, confirms), prepare)

    def _steps(self, host: str, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if self.work.halt.is_set():
                raise Halted(f"{host}: stopped, as the deploy is")
            self.mutexes[host].check()
            self.begun.setdefault(host, []).append(step)
            self._one(host, step)

    def _one(self, host: str, step: Step) -> None:
        carry_out(step, self.servers[host], self.work, self.mutexes[host], self.report)

    def _take_back(self) -> Failed:
        """Undo what was begun, as far as each host lets; return what could not be undone."""
        back = {host: undo(steps) for host, steps in self.begun.items()}
        ready = self.work.ready

        def one(host: str) -> None:
            errors: list[LockshipError] = []
            for step in back.get(host, ()):
                try:
                    self._one(host, step)
                    if isinstance(step, StartContainer):
                        self._see_running(host, step.name)
                except LockshipError as error:
                    errors.append(error)
                    if isinstance(step, SwitchRoute | RemoveRoute):
                        break  # the route may still lead to what would be removed next
                    if isinstance(error, HostError) and error.kind == "frozen":
                        break  # each further step would wait as long again
            if errors:
                raise errors[0]
            if host in ready:
                with suppress(LockshipError):  # nobody reads it, and the next deploy removes it
                    drop(self.servers[host], ready.pop(host))

        hosts = [host for host, steps in back.items() if steps]
        return self._each(dict.fromkeys([*hosts, *ready]), one)

    def _see_running(self, host: str, name: str) -> None:
        """Raise where a container that was started to serve again has ended at once."""
        found = self.servers[host].container(name)
        if found is None or found.state != "running":
            state = found.state if found else "gone"
            raise LockshipError(f"{host}: {name} was started again and is {state}")

    def _record(self, hosts: list[str], outcome: Outcome) -> Failed:
        """Write the journal's line on these hosts."""

        def one(host: str) -> None:
            self.mutexes[host].check()  # two writers at once would break the journal's chain
            line = journal.entry(
                self.work.lock,
                release_of(self.work.lock, self.work.made.get(host)),
                command=self.command,
                outcome=outcome,
                roles=roles_on(self.work.lock, host),
                performer=self.performer,
                skipped=self.skipped,
            )
            journal.append(self.servers[host], self.work.lock, line)

        return self._each(hosts, one)


def _changing(switch: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(step for step in switch if not isinstance(step, ConfirmContainer))


def _drains(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(step for step in steps if isinstance(step, DrainContainer))
