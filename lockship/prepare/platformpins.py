"""Pin each base image for each platform that is built for, where there are several.

The pin of an image names them all, in one digest; what is kept beside it says so of each one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from types import MappingProxyType

from lockship.errors import RefusedError
from lockship.lock.diff import Difference
from lockship.lock.model import Host, Lock
from lockship.lock.shape import dotted
from lockship.prepare.account import Account
from lockship.prepare.imagepins import BuildHost, opened
from lockship.progress import Event, Report

ByPlatform = dict[str, dict[str, str]]
Bases = Mapping[str, tuple[str, ...]]


def keep(bases: Bases, pins: Mapping[str, str], before: Lock | None) -> ByPlatform:
    """Return what the lock before says, of images that are pinned as they were."""
    build = before.build if before else None
    found: ByPlatform = {}
    for name, platforms in bases.items():
        if build is not None and name in pins and build.base.get(name) == pins[name]:
            known = build.base_platforms.get(name, {})
            found[name] = {each: known[each] for each in platforms if each in known}
    return {name: each for name, each in found.items() if each}


def missing(bases: Bases, kept: ByPlatform) -> Bases:
    """Return what is to be looked up: the platforms, by image."""
    lacks = {
        name: tuple(each for each in platforms if each not in kept.get(name, {}))
        for name, platforms in bases.items()
    }
    return {name: platforms for name, platforms in lacks.items() if platforms}


def not_looked_up(bases: Bases, kept: ByPlatform) -> tuple[Difference, ...]:
    """Return what a lock lacks because nothing was looked up."""
    return tuple(
        Difference(dotted(("build", "base-platforms", name, each)), None, "not looked up yet")
        for name, platforms in missing(bases, kept).items()
        for each in platforms
    )


def pin_platforms(
    bases: Bases,
    pins: Mapping[str, str],
    before: Lock | None,
    report: Report,
    *,
    frozen: bool,
    again: Collection[str] = (),
    at: BuildHost | None = None,
    host: Host | None = None,
    account: Account | None = None,
    mirrors: Mapping[str, str] = MappingProxyType({}),
) -> tuple[ByPlatform, tuple[str, ...]]:
    """Return what each base image is for each platform, and what a person should know.

    `again` are those that are looked up whatever the lock before says; `account` and `mirrors` are
    as for pins.
    Raises RefusedError where that isn't known and nothing may be looked up, LockshipError where
    an image isn't made for a platform.
    """
    found = keep({k: each for k, each in bases.items() if k not in again}, pins, before)
    asked = missing(bases, found)
    if not asked:
        return found, ()
    if frozen:
        raise RefusedError(
            "--frozen looks nothing up, and what base images are for each platform is missing.",
            details=[f"image {name}: {', '.join(each)}" for name, each in asked.items()],
            hint="Run `lockship prepare` where their registries answer, and commit the lock.",
        )
    from lockship.host.platformpin import look_up_platforms

    notes: list[str] = []
    own = account.at(asked) if account is not None else None
    with ExitStack() as undo:
        engine = undo.enter_context(opened(list(asked), at, host))
        for name, platforms in asked.items():
            step = f"look up {name} for {', '.join(platforms)}"
            report(Event("start", step))
            try:
                pinned = look_up_platforms(engine, name, pins[name], platforms, own, mirrors)
            except BaseException:
                report(Event("failed", step))
                raise
            report(Event("done", step))
            known = found.get(name, {}) | pinned.pins
            found[name] = {each: known[each] for each in bases[name]}
            notes += [pinned.note] if pinned.note else []
    return {name: found[name] for name in bases if name in found}, tuple(notes)
