"""The rollout: observe, plan, apply, over all hosts together (laws 5 and 6)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lockship.deploy.accessory.judge import notes
from lockship.deploy.apply import Work
from lockship.deploy.exclusion import Doors, at_the_door, held_everywhere
from lockship.deploy.fleet import connected, each, gathered, used_hosts
from lockship.deploy.foreign import ForeignImages
from lockship.deploy.moments import UNASKED, Moments
from lockship.deploy.observe import observe
from lockship.deploy.phases import Phases
from lockship.deploy.plan import Command, plan
from lockship.deploy.platform import made_for
from lockship.deploy.proxy.certificates import require_sound
from lockship.deploy.proxy.routing import announcement
from lockship.deploy.state import HostState
from lockship.deploy.steps import Plan
from lockship.deploy.supply import Supply
from lockship.errors import InterruptedByUser, LockshipError, RefusedError
from lockship.host.server import Server
from lockship.lock.fingerprint import build_key
from lockship.lock.image import Artifact
from lockship.lock.model import Lock
from lockship.progress import Event, Report, quiet
from lockship.secrets.secret import Secret


@dataclass(frozen=True, slots=True)
class Result:
    """What a deploy did: nothing (`changed` False), or all of `plan`."""

    changed: bool
    plan: Plan


def require_artifact(lock: Lock) -> Artifact:
    """Return the lock's artifact. Raises RefusedError where what is locked isn't built."""
    if lock.artifact is None or not is_built(lock, lock.artifact):
        raise RefusedError(
            f"{lock.service.name} {lock.service.version} isn't built.", hint="Run `lockship build`."
        )
    return lock.artifact


def is_built(lock: Lock, artifact: Artifact) -> bool:
    """Tell whether what was made is what is locked, and all of it."""
    several = lock.build.platforms if len(lock.build.platforms) > 1 else ()
    return artifact.key == build_key(lock) and set(several) == set(artifact.platforms)


def look(lock: Lock, *, command: Command = "deploy", report: Report = quiet) -> Plan:
    """Observe all hosts and return what a deploy would do now. Changes nothing."""
    artifact = require_artifact(lock)
    with connected(lock, used_hosts(lock), report, lambda s: s.begin(writing=False)) as opened:
        servers = _all_connected(opened.done, opened.failed)
        states = _observe(servers, lock)
        _say_what_differs(lock, states, report)
        return plan(lock, artifact, states, command)


def deploy(
    lock: Lock,
    *,
    performer: str,
    secrets: Mapping[str, Secret],
    command: Command = "deploy",
    wait: bool = False,
    stop: threading.Event,
    report: Report = quiet,
    moments: Moments = UNASKED,
) -> Result:
    """Bring every host to what the lock says, or leave every host as it was.

    `secrets` are all of the lock's. `stop` set means: end cleanly. `moments` are asked where
    something is to be done. Raises LockshipError (1) where
    nothing was switched and what was started is removed, UndoneError (4) where a switch was taken
    back, AttentionError (5) where a host could not be brought back or not be read,
    InterruptedByUser (130).
    """
    artifact = require_artifact(lock)
    require_sound(lock, secrets)
    doors: Doors = {}

    def begin(server: Server) -> None:
        server.begin(writing=True)
        doors[server.name] = at_the_door(server, lock)

    with connected(lock, used_hosts(lock), report, begin) as opened:
        servers = _all_connected(opened.done, opened.failed)
        states = _observe(servers, lock)
        _say_what_differs(lock, states, report)
        steps = plan(lock, artifact, states, command)
        if steps.empty:
            return Result(changed=False, plan=steps)
        with held_everywhere(
            servers, lock, performer, doors=doors, wait=wait, stop=stop, report=report
        ) as mutexes:
            # Between the first look and the mutex another deploy may have ended: look again.
            states = _observe(servers, lock)
            steps = plan(lock, artifact, states, command)
            served = {each.host: each.releases[-1].version for each in states if each.releases}
            halt = threading.Event()
            made = made_for(lock, artifact, states)
            with (
                Supply(lock, made, servers, steps, report, halt, secrets) as supply,
                ForeignImages(lock, report, secrets) as images,
            ):
                if not steps.empty:
                    moments.served(list(dict.fromkeys(served.values())))
                    moments.before_change(report, stop)
                if stop.is_set():
                    raise InterruptedByUser("Interrupted; nothing was changed.")
                proxies = {state.host: state.proxy for state in states if state.proxy}
                work = Work(lock, made, supply.ship, images, halt, secrets, proxies=proxies)
                who = (command, performer, moments.skipped)
                phases = Phases(servers, mutexes, work, steps, *who, stop, report, served)
                phases.stage(moments.before_switch)
                phases.switch()
                phases.finish()
        return Result(changed=not steps.empty, plan=steps)


def _all_connected(
    servers: Mapping[str, Server], failed: Mapping[str, LockshipError]
) -> dict[str, Server]:
    if failed:
        hosts = f"{len(failed)} host{'s' if len(failed) > 1 else ''}"
        raise gathered(f"{hosts} can't be reached; nothing was changed.", failed)
    return dict(servers)


def _observe(servers: Mapping[str, Server], lock: Lock) -> list[HostState]:
    results = each(servers, lambda name: observe(servers[name], lock), parallel=len(servers))
    return results.values_or_raise("Not every host could be observed; nothing was changed.")


def _say_what_differs(lock: Lock, states: Iterable[HostState], report: Report) -> None:
    """Say which proxies and accessories aren't as locked: they are left as they are."""
    for state in states:
        if said := announcement(lock, state):
            report(Event("note", said, state.host))
        for said in notes(lock, state):
            report(Event("note", said, state.host))
