"""Pins: what was looked up once, and stays in the lock until a person asks for it again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import Struct

from lockship.errors import RefusedError, UsageError
from lockship.lock.diff import Difference
from lockship.lock.model import LOCAL, Host
from lockship.lock.shape import dotted
from lockship.prepare import hostpins, imagepins
from lockship.prepare.account import Account
from lockship.prepare.previous import Previous
from lockship.progress import Report

EVERY: Final = "*"


@dataclass(frozen=True)
class Choice:
    """What is looked up: nothing with `frozen`, else what has no pin, and what `upgrade` names.

    `upgrade` is a host's name, an image's with or without its tag, or '*'. `trusted` are keys that
    a person trusts now, by host: they are pinned as they are.
    """

    upgrade: str | None = None
    frozen: bool = False
    trusted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def upgrades(self, image: str) -> bool:
        """Tell whether an image is looked up again."""
        return _upgrades(self.upgrade, image)


class Upgraded(Struct, frozen=True, rename="kebab"):
    """A pin that was looked up again and is another one now."""

    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class Pins:
    """Hosts with their keys, and images with their pins, by name.

    `upgraded` are the pins that changed, `notes` what a person should know.
    """

    hosts: dict[str, Host]
    images: dict[str, str]
    upgraded: tuple[Upgraded, ...] = ()
    notes: tuple[str, ...] = ()


def keep(hosts: Mapping[str, Host], images: Sequence[str], before: Previous) -> Pins:
    """Return the pins of the lock before, as far as it has them; nothing is looked up."""
    kept = {name: before.images[name] for name in images if name in before.images}
    return Pins(hostpins.keep(hosts, before.hosts), kept)


def missing(images: Sequence[str], pins: Pins) -> tuple[Difference, ...]:
    """Return what a lock lacks because nothing was looked up."""
    return tuple(
        Difference(dotted(("build", "base", name)), None, "not looked up yet")
        for name in images
        if name not in pins.images
    )


def pin(
    hosts: Mapping[str, Host],
    images: Sequence[str],
    before: Previous,
    choice: Choice,
    report: Report,
    bases: Collection[str] = (),
    builder: imagepins.BuildHost | None = None,
    account: Account | None = None,
    mirrors: Mapping[str, str] = MappingProxyType({}),
) -> Pins:
    """Return all pins: those of the lock before, and the others looked up.

    `bases` are those of `images` that `builder` looks up, where there is one. `account` is asked
    only where something is looked up in its registry; `mirrors` are asked instead of theirs.

    Raises UsageError where `choice` upgrades what nobody pins, RefusedError where it lets nothing
    be looked up and a pin is missing, and for a host of which no key is known; LockshipError where
    an image isn't found.
    """
    _refuse_nobody(choice.upgrade, hosts, images)
    kept = keep(hosts, images, before)
    kept.hosts.update(_trusted(hosts, choice.trusted))
    again = [name for name in hosts if name != LOCAL and choice.upgrade in (EVERY, name)]
    ask_hosts = [name for name in hosts if name in {*hostpins.without_keys(kept.hosts), *again}]
    ask_images = [
        name for name in images if name not in kept.images or _upgrades(choice.upgrade, name)
    ]
    if choice.frozen:
        _refuse_missing(ask_hosts, ask_images)
    pinned = hostpins.look_up(kept.hosts, ask_hosts)
    there = [name for name in ask_images if builder and name in bases]
    here = [name for name in ask_images if name not in there]
    own = account.at(ask_images) if account is not None else None
    found, notes = imagepins.pin_images(here, report, own=own, mirrors=mirrors)
    if builder is not None:
        more, others = imagepins.pin_images(
            there, report, builder, pinned[builder.name], own, mirrors
        )
        found, notes = found | more, notes + others
    upgraded = [
        Upgraded(name, kept.hosts[name].keys, pinned[name].keys)
        for name in ask_hosts
        if kept.hosts[name].keys not in ((), pinned[name].keys)
    ]
    upgraded += [
        Upgraded(name, (kept.images[name],), (pin,))
        for name, pin in found.items()
        if kept.images.get(name, pin) != pin
    ]
    return Pins(pinned, kept.images | found, tuple(upgraded), notes)


def _trusted(hosts: Mapping[str, Host], keys: Mapping[str, tuple[str, ...]]) -> dict[str, Host]:
    """Return the hosts that a person trusts, with these keys. Raises UsageError for an unknown."""
    for name in keys:
        if name not in hosts or name == LOCAL:
            raise UsageError(
                f"There is no host {name} in the configuration.",
                hint=f"There are: {', '.join(each for each in hosts if each != LOCAL) or 'none'}.",
            )
    return {name: msgspec.structs.replace(hosts[name], keys=keys[name]) for name in keys}


def _upgrades(upgrade: str | None, image: str) -> bool:
    return upgrade is not None and (upgrade == EVERY or imagepins.means(upgrade, image))


def _refuse_nobody(upgrade: str | None, hosts: Mapping[str, Host], images: Sequence[str]) -> None:
    if upgrade is None or upgrade == EVERY or (upgrade in hosts and upgrade != LOCAL):
        return
    if not any(_upgrades(upgrade, name) for name in images):
        pinned = ", ".join([*(name for name in hosts if name != LOCAL), *images])
        raise UsageError(
            f"There is no pin called {upgrade!r}.",
            hint=f"Pinned are: {pinned}." if pinned else "Nothing is pinned here.",
        )


def _refuse_missing(hosts: Sequence[str], images: Sequence[str]) -> None:
    """Raise RefusedError with each pin that isn't there."""
    if not hosts and not images:
        return
    count = len(hosts) + len(images)
    raise RefusedError(
        f"--frozen looks nothing up, and {count} pin{'s are' if count > 1 else ' is'} missing.",
        details=[*(f"host key of {name}" for name in hosts), *(f"image {name}" for name in images)],
        hint="Run `lockship prepare` where hosts and images are known, and commit the lock.",
    )
