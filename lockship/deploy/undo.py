"""The way back: what takes back the steps that were begun. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from lockship.deploy.proxy import routing
from lockship.deploy.steps import (
    CreateContainer,
    RemoveContainer,
    RemoveRoute,
    StartContainer,
    Step,
    StopContainer,
    SwitchRoute,
)


def undo(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return the steps that take back those that were begun, last first.

    Every one of them may be carried out whether the step it takes back ended, failed half-way or
    never reached the host: starting what runs and removing what is gone change nothing.
    """
    begun = list(steps)
    created = {step.name for step in begun if isinstance(step, CreateContainer)}
    stopped = {step.name for step in begun if isinstance(step, StopContainer)}
    started = {step.name for step in begun if isinstance(step, StartContainer)}
    back: list[Step] = []
    for step in reversed(begun):
        match step:
            case CreateContainer(name=name):
                back.append(RemoveContainer(name, "the deploy is taken back"))
            case StartContainer(name=name) if name not in created | stopped:
                back.append(StopContainer(name, 10.0, "the deploy is taken back"))
            case StartContainer(name=name) if name in created:
                back.append(RemoveContainer(name, "the deploy is taken back"))
            case StopContainer(name=name) if name not in started:
                back.append(StartContainer(name, "the deploy is taken back: it served before"))
            case SwitchRoute() | RemoveRoute():
                back += routing.take_back(step)
            case _:
                pass
    return tuple(dict.fromkeys(back))
