"""Whether a host is ready for what a lock puts on it: a pure function of what was seen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from msgspec import Struct

from lockship.deploy.accessory.observe import on_host
from lockship.deploy.goals import roles_on
from lockship.deploy.proxy import container as proxy_container
from lockship.deploy.servers.facts import Disk, Seen
from lockship.lock.model import Lock
from lockship.lock.names import split_port
from lockship.lock.platform import plain

Verdict = Literal["ok", "warning", "failed"]
What = Literal["reach", "engine", "platform", "disk", "ports", "clock", "tools"]

OLDEST: Final = (20, 10)  # the engine with API 1.41: docs/decisions, "Engine API"
_ROOM: Final = 1 << 30  # bytes: below that, sooner or later a deploy fails
_CLOCK: Final = 5.0  # seconds that make a journal's times hard to compare


class Check(Struct, frozen=True):
    """One thing that was looked at on a host. `hint` is what to type where it isn't well."""

    host: str
    what: What
    verdict: Verdict
    said: str
    hint: str = ""


def judge(lock: Lock, seen: Seen, platforms: Sequence[str]) -> tuple[Check, ...]:
    """Return what is well and what isn't. `platforms` are the image's, none where unknown."""
    return (
        *_engine(seen),
        *_platform(lock, seen, platforms if roles_on(lock, seen.host) else ()),
        *_disk(seen),
        *_ports(lock, seen),
        _clock(seen),
        _tools(seen),
    )


def _engine(seen: Seen) -> Iterator[Check]:
    if seen.engine is None:
        hint = f"lockship server bootstrap --host {seen.host}"
        if "docker" in seen.facts.tools and seen.engine_hint:
            hint = seen.engine_hint
        yield Check(seen.host, "engine", "failed", seen.engine_error, hint)
        return
    said = f"Docker {seen.engine.version}"
    if seen.engine.containerd_store:
        said += ", images in containerd: they arrive whole, not by layer"
    version = tuple(int(part) for part in re.findall(r"\d+", seen.engine.version)[:2])
    if version < OLDEST:
        hint = "install a newer one: https://docs.docker.com/engine/install/"
        yield Check(seen.host, "engine", "failed", f"{said}; 20.10 or newer is needed", hint)
    else:
        yield Check(seen.host, "engine", "ok", said)


def _platform(lock: Lock, seen: Seen, wanted: Sequence[str]) -> Iterator[Check]:
    machine = plain(f"linux/{seen.facts.machine}") if seen.facts.machine else ""
    here = seen.engine.platform if seen.engine else machine
    system = f"{seen.facts.os or 'an unknown system'} on {here.removeprefix('linux/')}"
    said = lock.hosts[seen.host].platform if seen.host in lock.hosts else None
    if not wanted or not here:
        yield Check(seen.host, "platform", "ok", system)
    elif said is not None:
        yield Check(seen.host, "platform", "ok", f"{system}; it is to run the image for {said}")
    elif here in map(plain, wanted):
        yield Check(seen.host, "platform", "ok", f"{system}, as the image")
    else:
        added = (*wanted, here) if len(wanted) > 1 else (here,)
        listed = ", ".join(f'"{each}"' for each in added)
        hint = f"platforms = [{listed}] in [build], then `lockship prepare`"
        what = f"{system}; the image is for {' and '.join(wanted)}"
        yield Check(seen.host, "platform", "failed", what, hint)


def _disk(seen: Seen) -> Iterator[Check]:
    for disk in seen.facts.disks:
        low = disk.free < _ROOM
        hint = "`lockship prune`, or on the host: docker system df" if low else ""
        yield Check(seen.host, "disk", "warning" if low else "ok", _free(disk), hint)


def _free(disk: Disk) -> str:
    return f"{disk.free / (1 << 30):.1f} GiB free on {disk.mount}"


def _ports(lock: Lock, seen: Seen) -> Iterator[Check]:
    """Who has a port that the lock publishes: its own containers and the proxy may."""
    held = {port: (name, project) for port, name, project in seen.holders}
    wanted = sorted(set(_wanted(lock, seen.host)))
    free = True
    for port in wanted:
        name, project = held.get(port, ("", ""))
        if name and project != lock.project and name != proxy_container.NAME:
            free, said = False, f"{port} is the container {name}'s"
            hint = "stop it, or publish another port in lockship.toml"
            yield Check(seen.host, "ports", "failed", said, hint)
        elif not name and port in seen.facts.listening:
            free, said = False, f"{port} is taken by a program outside of Docker"
            yield Check(seen.host, "ports", "failed", said, f"on the host: ss -ltnp | grep :{port}")
    if free:
        listed = ", ".join(map(str, wanted))
        said = f"{listed}: free, or its own" if wanted else "none is published here"
        yield Check(seen.host, "ports", "ok", said)


def _wanted(lock: Lock, host: str) -> Iterator[int]:
    roles = roles_on(lock, host)
    published = [port for role in roles.values() for port in role.ports]
    published += [port for each in on_host(lock, host).values() for port in each.ports]
    if lock.proxy is not None and any(role.proxy for role in roles.values()):
        published += proxy_container.ports(lock.proxy.server)
    for port in published:
        _, number, _, protocol = split_port(port)
        if protocol == "tcp":
            yield number


def _clock(seen: Seen) -> Check:
    apart = abs(seen.facts.clock)
    if apart <= _CLOCK:
        trip = f"an answer takes {seen.facts.trip * 1000:.0f} ms"
        return Check(seen.host, "clock", "ok", f"as this machine's; {trip}")
    way = "ahead of" if seen.facts.clock > 0 else "behind"
    said = f"{apart:.0f} s {way} this machine's: the journal's times can't be compared"
    return Check(seen.host, "clock", "warning", said, "on the host: timedatectl set-ntp true")


def _tools(seen: Seen) -> Check:
    if "flock" in seen.facts.tools:
        return Check(seen.host, "tools", "ok", "flock is there, for the mutex")
    hint = "install util-linux on the host"
    return Check(seen.host, "tools", "failed", "flock is missing: the mutex needs it", hint)
