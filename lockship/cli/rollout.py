"""The joins on top of the stages: build what isn't built, then roll out; print a plan."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from lockship.cli import console, lockfile, progress, recording, secrets, signals
from lockship.cli.text import visible
from lockship.errors import EXIT_DONE, AttentionError, LockshipError
from lockship.lock import writer
from lockship.lock.fingerprint import build_key
from lockship.lock.model import Lock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockship.deploy.plan import Command
    from lockship.deploy.rollout import Result
    from lockship.deploy.steps import HostPlan, Plan
    from lockship.secrets.secret import Secret

    Secrets = Mapping[str, Secret]

_FIRST_SIGNAL: Final = "stopping cleanly; once more stops at once"
_SECOND_SIGNAL: Final = "stopped at once; `lockship deploy` finishes or undoes what was begun"


def deploy(
    found: lockfile.Found,
    command: Command,
    *,
    wait: bool,
    as_json: bool,
    commit: bool | None = None,
) -> int:
    """Build what isn't built, then bring every host to the lock.

    `commit`: whether the lockfile is committed then; None leaves it to the lock.
    """
    record = recording.wanted(found, "deploy", commit=commit)
    values = secrets.resolved(found.lock.secrets, found.root)
    artifact = found.lock.artifact
    if artifact is None or artifact.key != build_key(found.lock):
        found = build(found, values, quietly=as_json)
    try:
        found, result = _build_and_roll_out(found, values, command, wait=wait, quietly=as_json)
    except LockshipError as error:
        recording.failed(record, found, error)
        raise
    return _end(record, found, result, as_json=as_json)


def roll_back(
    found: lockfile.Found,
    chosen: Lock,
    *,
    wait: bool,
    as_json: bool,
    commit: bool | None = None,
    reason: str | None = None,
) -> int:
    """Make `chosen` the lock and bring every host to it.

    The lockfile is written first, so that after a kill `lockship deploy` finishes the rollback;
    it is put back where the hosts kept what they had: then there is nothing to commit either.
    """
    record = recording.wanted(found, "rollback", commit=commit, reason=reason)
    values = secrets.resolved(chosen.secrets, found.root)
    writer.write(found.path, chosen)
    to = lockfile.Found(found.root, found.path, chosen)
    try:
        to, result = _build_and_roll_out(to, values, "rollback", wait=wait, quietly=as_json)
    except AttentionError as error:
        # Some hosts have it and some don't: `lockship deploy` brings it to all.
        recording.failed(record, to, error)
        raise
    except BaseException:
        writer.write(found.path, found.lock)
        raise
    return _end(record, to, result, as_json=as_json)


def build(found: lockfile.Found, values: Secrets | None = None, *, quietly: bool) -> lockfile.Found:
    """Build the locked image and write the artifact into the lockfile; return the new lock.

    `values` are the lock's secrets where they were looked up already.
    """
    from lockship.build.image import build as build_image

    if values is None:
        values = secrets.for_building(found.lock, found.root)
    # BuildKit draws on the terminal itself: a second live display would get in its way. A build
    # with secrets doesn't draw, since a step may print one, and only what comes by here is masked.
    draws = not quietly and not found.lock.build.secrets and console.is_live(sys.stderr)
    with progress.shown(quietly=quietly, live=not draws) as report:
        made = build_image(found.root, found.lock, report=report, tty=draws, secrets=values)
    return lockfile.record_artifact(found, made.artifact)


def _build_and_roll_out(
    found: lockfile.Found, values: Secrets, command: Command, *, wait: bool, quietly: bool
) -> tuple[lockfile.Found, Result]:
    """Bring every host to the lock that was found; return it with its artifact, and the result."""
    from lockship.deploy.supply import ImageMissing

    try:
        return found, _roll_out(found.lock, values, command, wait=wait, quietly=quietly)
    except ImageMissing:
        # Built once, and gone from here since, or built on another machine without a registry.
        found = build(found, values, quietly=quietly)
    return found, _roll_out(found.lock, values, command, wait=wait, quietly=quietly)


def _roll_out(
    lock: Lock, values: Secrets, command: Command, *, wait: bool, quietly: bool
) -> Result:
    """Bring every host to `lock`; Ctrl-C stops it cleanly."""
    from lockship.deploy.journal import local_performer
    from lockship.deploy.rollout import deploy as deploy_lock

    with (
        signals.stopping(first=_FIRST_SIGNAL, second=_SECOND_SIGNAL) as stop,
        progress.shown(quietly=quietly) as report,
    ):
        return deploy_lock(
            lock,
            performer=local_performer(),
            secrets=values,
            command=command,
            wait=wait,
            stop=stop,
            report=report,
        )


def _end(
    record: recording.Recording | None, found: lockfile.Found, result: Result, *, as_json: bool
) -> int:
    """Record what was done, and say both. Raises LockshipError where it couldn't be recorded."""
    recorded = recording.ended(record, found, changed=result.changed)
    lock = found.lock
    hosts = len(result.plan.hosts)
    where = f"on {hosts} host{'s' if hosts != 1 else ''}"
    what = f"{lock.project} {lock.service.version} serves"
    if as_json:
        service = {"service": lock.service.name, "destination": lock.service.destination}
        git = {"committed": recorded.committed, "commit": recorded.commit}
        console.data_json(service | {"changed": result.changed} | git | {"plan": result.plan})
    elif not recorded.error:
        now = f"now {where}" if result.changed else f"already {where}; nothing was to be done"
        console.say(f"{what} {now}")
        recording.show(record, recorded, found)
    if error := recording.failure(recorded, f"{what} {where}"):
        raise error
    return EXIT_DONE


def show_plan(lock: Lock, command: Command, *, as_json: bool) -> int:
    """Print what a deploy of `lock` would do now, and change nothing."""
    from lockship.deploy.rollout import look

    with progress.shown(quietly=as_json, brief=True) as report:
        plan = look(lock, command=command, report=report)
    if as_json:
        console.data_json(plan)
    else:
        for line in plan_lines(plan):
            console.data(line)
    return EXIT_DONE


def plan_lines(plan: Plan) -> list[str]:
    """Write a plan for people: each host with its steps, and why."""
    lines = [f"{plan.version}  {plan.fingerprint}"]
    if len(plan.batches) > 1:
        lines.append("")
        for number, hosts in enumerate(plan.batches, start=1):
            lines.append(f"batch {number}  {visible(', '.join(hosts))}")
    for host in plan.hosts:
        lines += ["", visible(host.host)]
        lines += [f"  {line}" for line in _host_lines(host)] or ["  nothing to do"]
    return lines


def _host_lines(host: HostPlan) -> list[str]:
    phases = {"stage": host.stage, "switch": host.switch, "finish": host.finish}
    return [
        f"{phase:<6}  {visible(step.text)}  ({visible(step.why)})"
        for phase, steps in phases.items()
        for step in steps
    ]
