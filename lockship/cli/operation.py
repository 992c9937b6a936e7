"""The join of stop, start, remove and their like: show what will happen, ask, do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lockship.cli import console, progress, question, signals
from lockship.cli.text import visible
from lockship.errors import EXIT_DONE
from lockship.lock.model import Lock

if TYPE_CHECKING:
    from lockship.deploy.operate.run import Task
    from lockship.deploy.steps import Plan

_FIRST_SIGNAL: Final = "stopping after the step under way; once more stops at once"
_SECOND_SIGNAL: Final = "stopped at once; the same command goes on where it was"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a task is to be done: the options that all such commands share."""

    yes: bool
    only_plan: bool
    wait: bool
    as_json: bool


def run(lock: Lock, task: Task, manner: Manner, *, done: str) -> int:
    """Do a task once a person has said yes to its steps, or `-y`; `done` says what came of it.

    Raises UsageError where nobody can be asked, InterruptedByUser where the answer is no.
    """
    from lockship.deploy.journal import local_performer
    from lockship.deploy.operate import run as operate

    agreed = None
    if manner.only_plan or not manner.yes:
        if not manner.only_plan:
            otherwise = "Say yes with -y; `--plan` shows what would be done."
            question.require_terminal(task.command, otherwise)
        with progress.shown(quietly=manner.as_json, brief=True) as report:
            agreed = operate.look(lock, task, report=report)
        if manner.only_plan:
            return _show(agreed, as_json=manner.as_json)
        if not agreed.empty:
            question.ask(task.command, _lines(agreed))
    with (
        signals.stopping(first=_FIRST_SIGNAL, second=_SECOND_SIGNAL) as stop,
        progress.shown(quietly=manner.as_json) as report,
    ):
        plan = operate.run(
            lock,
            task,
            agreed=agreed,
            performer=local_performer(),
            wait=manner.wait,
            stop=stop,
            report=report,
        )
    if manner.as_json:
        service = {"service": lock.service.name, "destination": lock.service.destination}
        console.data_json(service | {"changed": not plan.empty, "plan": plan})
    elif plan.empty:
        console.say(f"nothing was to be done on {', '.join(task.hosts)}")
    else:
        hosts = [host.host for host in plan.hosts if not host.empty]
        console.say(f"{_subject(lock, task)} {done} on {', '.join(hosts)}")
    return EXIT_DONE


def _subject(lock: Lock, task: Task) -> str:
    some = [task.role] if task.role else task.accessories
    said = "accessories" if some == ["all"] else " and ".join(some)
    return f"{lock.project}'s {said}" if some else lock.project


def _show(plan: Plan, *, as_json: bool) -> int:
    if as_json:
        console.data_json(plan)
    for line in [] if as_json else _lines(plan):
        console.data(line)
    return EXIT_DONE


def _lines(plan: Plan) -> list[str]:
    """Write the steps of each host, and why."""
    lines = []
    for host in plan.hosts:
        steps = [f"  {visible(step.text)}  ({visible(step.why)})" for step in host.switch]
        lines += [visible(host.host), *(steps or ["  nothing to do"])]
    return lines
