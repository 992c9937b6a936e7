"""Doing what `plans` says: connect, observe, plan; under the mutex, with a line in the journal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lockship.deploy import journal
from lockship.deploy.apply import Work, carry_out
from lockship.deploy.exclusion import held_everywhere
from lockship.deploy.fleet import connected, each, gathered
from lockship.deploy.foreign import ForeignImages
from lockship.deploy.goals import roles_on
from lockship.deploy.mutex import Mutex
from lockship.deploy.observe import observe
from lockship.deploy.plan import release_of
from lockship.deploy.platform import made_here
from lockship.deploy.probe import Halted
from lockship.deploy.state import HostState
from lockship.deploy.steps import HostPlan, Plan
from lockship.errors import AttentionError, InterruptedByUser, LockshipError, RefusedError
from lockship.host.journal import Act
from lockship.host.server import Server
from lockship.lock.image import Made
from lockship.lock.model import Lock
from lockship.progress import Event, Report, quiet
from lockship.secrets.secret import Secret

Failed = dict[str, LockshipError]


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done on which hosts; `role` None is all of them.

    `plan` is pure, of what `observe` sees. `one_by_one`: a host is begun when the one before it
    has ended well. Where `accessories` are named it is about these; `secrets` and `files` are what
    their containers get; `notes` says what is left as it is.
    """

    command: Act
    hosts: Sequence[str]
    plan: Callable[[HostState], HostPlan]
    role: str | None = None
    one_by_one: bool = False
    observe: Callable[[Server, Lock], HostState] = observe
    accessories: Sequence[str] = ()
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: Callable[[HostState], Iterable[str]] = lambda _: ()


def look(lock: Lock, task: Task, *, report: Report = quiet) -> Plan:
    """Observe the task's hosts and return what it would do now. Changes nothing."""
    with connected(lock, task.hosts, report) as opened:
        opened.values_or_raise("Not every host can be reached; nothing was changed.")
        return _plan(lock, task, _observe(lock, task, opened.done))


def run(
    lock: Lock,
    task: Task,
    *,
    agreed: Plan | None = None,
    performer: str,
    wait: bool = False,
    stop: threading.Event,
    report: Report = quiet,
) -> Plan:
    """Do it and return what was done. Where nothing is to be done no mutex is taken.

    `agreed` is the plan that a person said yes to. Raises RefusedError (3) where the hosts want
    another one by now, AttentionError (5) where a host failed: what was done stays done;
    InterruptedByUser (130) where `stop` was set.
    """
    with connected(lock, task.hosts, report) as opened:
        opened.values_or_raise("Not every host can be reached; nothing was changed.")
        servers = opened.done
        states = _observe(lock, task, servers)
        for state in states:
            for note in task.notes(state):
                report(Event("note", note, state.host))
        plan = _plan(lock, task, states)
        if plan.empty and agreed is None:
            return plan
        with held_everywhere(
            servers, lock, performer, wait=wait, stop=stop, report=report
        ) as mutexes:
            states = _observe(lock, task, servers)
            plan = _plan(lock, task, states)
            if agreed is not None and plan != agreed:
                raise RefusedError(
                    "The hosts changed since the question was asked; nothing was done.",
                    hint="Run the same command again, and look at its list.",
                )
            with ForeignImages(lock, report, task.secrets) as images:
                given = task.secrets, task.files
                work = Work(lock, _made(lock, states), _ship_nothing, images, stop, *given)
                doing = _Doing(lock, task, servers, mutexes, work, report)
                failed = doing.all(plan)
            failed |= doing.record(plan, states, performer, failed)
        if failed:
            raise _ended(task, failed, interrupted=stop.is_set())
        return plan


def _plan(lock: Lock, task: Task, states: Sequence[HostState]) -> Plan:
    hosts = tuple(task.plan(state) for state in states)
    return Plan(lock.service.version, lock.fingerprint, hosts)


def _observe(lock: Lock, task: Task, servers: Mapping[str, Server]) -> list[HostState]:
    seen = each(
        servers, lambda name: task.observe(servers[name], lock), parallel=lock.deploy.parallel
    )
    return seen.values_or_raise("Not every host could be observed; nothing was changed.")


def _made(lock: Lock, states: Iterable[HostState]) -> dict[str, Made]:
    """Return each host's image, as far as there is one: not every task needs it."""
    if lock.artifact is None:
        return {}
    found = {state.host: made_here(lock.artifact, state) for state in states}
    return {host: made for host, made in found.items() if made is not None}


def _ship_nothing(server: Server) -> None:
    raise LockshipError(f"{server.name}: only a deploy brings an image.")


@dataclass(frozen=True, slots=True)
class _Doing:
    """A plan being carried out, with every host's mutex held."""

    lock: Lock
    task: Task
    servers: Mapping[str, Server]
    mutexes: Mapping[str, Mutex]
    work: Work
    report: Report

    def all(self, plan: Plan) -> Failed:
        """Carry out every host's steps, and return what failed. One by one a failure ends it."""
        todo = {host.host: host for host in plan.hosts if not host.empty}
        groups = [[name] for name in todo] if self.task.one_by_one else [list(todo)]
        failed: Failed = {}
        for group in groups:
            if failed:
                failed |= {
                    name: LockshipError(f"{name}: not begun, as another host failed")
                    for name in group
                }
                continue
            results = each(
                group,
                lambda name: self._host(todo[name]),
                parallel=self.lock.deploy.parallel,
            )
            failed |= results.failed
        return failed

    def _host(self, plan: HostPlan) -> None:
        for step in plan.switch:
            if self.work.halt.is_set():
                raise Halted(f"{plan.host}: interrupted before it came to: {step.text}")
            mutex, server = self.mutexes[plan.host], self.servers[plan.host]
            carry_out(step, server, self.work, mutex, self.report)

    def record(
        self, plan: Plan, states: Sequence[HostState], performer: str, failed: Mapping[str, object]
    ) -> Failed:
        """Write a line into the journal of every host where something was to be done.

        The line is about the release that was there; of accessories, about this lock.
        """
        touched = {host.host for host in plan.hosts if not host.empty}
        before = {state.host: state for state in states if state.host in touched}
        made = {} if self.task.accessories else self.work.made

        def one(name: str) -> None:
            self.mutexes[name].check()
            here = release_of(self.lock, made.get(name))
            roles = [self.task.role] if self.task.role else roles_on(self.lock, name)
            line = journal.entry(
                self.lock,
                before[name].releases[-1] if before[name].releases else here,
                command=self.task.command,
                outcome="attention" if name in failed else "done",
                roles=() if self.task.accessories else roles,
                performer=performer,
                accessories=self.task.accessories,
            )
            journal.append(self.servers[name], self.lock, line)

        return dict(each(before, one, parallel=self.lock.deploy.parallel).failed)


def _ended(task: Task, failed: Failed, *, interrupted: bool) -> LockshipError:
    """Return the error for a task that didn't end on every host."""
    kind = InterruptedByUser if interrupted else AttentionError
    what = "Interrupted" if interrupted else "Not done on every host"
    error = gathered(
        f"{what}: {task.command} ended only in part; what was done stays.", failed, kind
    )
    again = f"`lockship status` shows what runs; the same `lockship {task.command}` goes on."
    error.hint = "\n".join(filter(None, [error.hint, again]))
    return error
