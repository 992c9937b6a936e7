"""The joins on top of the stages: build what isn't built, then roll out; print a plan."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from lockship.cli import console, lockedhooks, lockfile, progress, recording, secrets, signals
from lockship.cli.hooks import Hooks
from lockship.cli.text import visible
from lockship.errors import EXIT_DONE, AttentionError, LockshipError
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
    skip: frozenset[str] = frozenset(),
) -> int:
    """Build what isn't built, then bring every host to the lock.

    `commit`: whether the lockfile is committed then; None leaves it to the lock. `skip` are hooks.
    """
    lockfile.refuse_inside_hook(found)
    hooks = Hooks.of(found, command, quietly=as_json, skip=skip)
    record = recording.wanted(found, "deploy", commit=commit, skipped=hooks.skipped)
    hooks.say_skipped()
    with hooks.told_of_failure():
        values = secrets.resolved(found.lock.secrets, found.root)
        artifact = found.lock.artifact
        if artifact is None or artifact.key != build_key(found.lock):
            found = build(found, hooks, values, quietly=as_json)
        hooks.before("pre-connect")
        try:
            found, result = _build_and_roll_out(
                found, values, command, hooks, wait=wait, quietly=as_json
            )
        except LockshipError as error:
            recording.failed(record, found, error)
            raise
    return _end(record, hooks, found, result, as_json=as_json)


def roll_back(
    found: lockfile.Found,
    chosen: Lock,
    *,
    wait: bool,
    as_json: bool,
    commit: bool | None = None,
    reason: str | None = None,
    skip: frozenset[str] = frozenset(),
) -> int:
    """Make `chosen` the lock and bring every host to it.

    The lockfile is written first, so that after a kill `lockship deploy` finishes the rollback;
    it is put back where the hosts kept what they had: then only a message is committed.
    """
    from lockship.lock import writer  # with tomlkit: 50 ms

    lockfile.refuse_inside_hook(found)
    to = msgspec.structs.replace(found, lock=chosen)
    hooks = Hooks.of(to, "rollback", quietly=as_json, skip=skip)
    # `pre-connect` was that of the lock at hand: which one it goes back to wasn't known yet.
    first = skip & {"pre-connect"}
    hooks.skipped = (
        *lockedhooks.skipped(found.lock, first, "rollback"),
        *lockedhooks.skipped(chosen, skip - first, "rollback"),
    )
    record = recording.wanted(
        found, "rollback", commit=commit, reason=reason, skipped=hooks.skipped
    )
    hooks.say_skipped()
    with hooks.told_of_failure():
        values = secrets.resolved(chosen.secrets, found.root)
        writer.write(found.path, chosen)
        try:
            to, result = _build_and_roll_out(
                to, values, "rollback", hooks, wait=wait, quietly=as_json
            )
        except AttentionError as error:
            # Some hosts have it and some don't: `lockship deploy` brings it to all.
            recording.failed(record, to, error)
            raise
        except BaseException as error:
            lockfile.put_back(found, chosen)
            if isinstance(error, LockshipError):
                recording.failed(record, to, error, kept=False)
            raise
    return _end(record, hooks, to, result, as_json=as_json)


def build(
    found: lockfile.Found, hooks: Hooks, values: Secrets | None = None, *, quietly: bool
) -> lockfile.Found:
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
        made = build_image(
            *(found.root, found.lock),
            report=report,
            tty=draws,
            secrets=values,
            before=partial(hooks.before, "pre-build", report),
        )
        found = lockfile.record_artifact(found, made.artifact)
        hooks.lock = found.lock
        if made.how == "built":
            hooks.after("post-build", report)
    return found


def _build_and_roll_out(
    found: lockfile.Found,
    values: Secrets,
    command: Command,
    hooks: Hooks,
    *,
    wait: bool,
    quietly: bool,
) -> tuple[lockfile.Found, Result]:
    """Bring every host to the lock that was found; return it with its artifact, and the result."""
    from lockship.deploy.supply import ImageMissing

    try:
        return found, _roll_out(found.lock, values, command, hooks, wait=wait, quietly=quietly)
    except ImageMissing:
        # Built once, and gone from here since, or built on another machine without a registry.
        found = build(found, hooks, values, quietly=quietly)
    return found, _roll_out(found.lock, values, command, hooks, wait=wait, quietly=quietly)


def _roll_out(
    lock: Lock, values: Secrets, command: Command, hooks: Hooks, *, wait: bool, quietly: bool
) -> Result:
    """Bring every host to `lock`; Ctrl-C stops it cleanly."""
    from lockship.deploy.journal import local_performer
    from lockship.deploy.moments import Moments
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
            moments=Moments(
                hooks.served, partial(hooks.before, "pre-deploy"), hooks.consent, hooks.skipped
            ),
        )


def _end(
    record: recording.Recording | None,
    hooks: Hooks,
    found: lockfile.Found,
    result: Result,
    *,
    as_json: bool,
) -> int:
    """Record what was done, run the last hook, and say all of it.

    Raises LockshipError where it couldn't be recorded, AttentionError where a `post-*` hook failed.
    """
    recorded = recording.ended(record, found, changed=result.changed)
    if result.changed:
        hooks.after("post-rollback" if hooks.occasion.command == "rollback" else "post-deploy")
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
    hooks.settle(AttentionError, f"{what} {where}")
    return EXIT_DONE


def show_plan(
    lock: Lock, command: Command, *, as_json: bool, skip: frozenset[str] = frozenset()
) -> int:
    """Print what a deploy of `lock` would do now, and change nothing. No hook runs."""
    from lockship.deploy.rollout import look

    with progress.shown(quietly=as_json, brief=True) as report:
        plan = look(lock, command=command, report=report)
    would = lockedhooks.would_run(lock, plan, command, skip)
    if as_json:
        console.data_json({**msgspec.structs.asdict(plan), "hooks": would})
        return EXIT_DONE
    for line in plan_lines(plan):
        console.data(line)
    if would:
        console.data(f"\nhooks  {', '.join(would)}")
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
