"""The moments of a rollout at which who began it is asked whether to go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lockship.deploy.steps import Plan
from lockship.progress import Report

Ask = Callable[[Report, threading.Event], None]


def _go_on(_report: Report, _stop: threading.Event) -> None:
    """Say nothing against it."""


def _hear(_versions: Sequence[str]) -> None:
    """Take no notice."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Who is called when. A LockshipError says no; `stop` set means that it was interrupted.

    `served` is told the versions that serve before anything changes, in the hosts' order, each
    once; then `before_change` is asked, once the mutex is held everywhere; then `before_switch`,
    when every host has ended its stage. `skipped` are those by name who would have been asked
    or told, and are not: journals say so.
    """

    served: Callable[[Sequence[str]], None] = _hear
    before_change: Ask = _go_on
    before_switch: Ask = _go_on
    skipped: tuple[str, ...] = ()


def asked_before_switch(plan: Plan) -> bool:
    """Tell whether `before_switch` is asked: not where a killed deploy had switched already."""
    return any(host.stage or host.switch for host in plan.hosts)


UNASKED: Final = Moments()
"""Nobody is asked, and nothing stands in the way."""
