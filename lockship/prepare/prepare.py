"""`prepare` and `check`: from git, configuration and pins to one lock.

`git status` takes the longest of all, so it is started before anything else is even imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from lockship.git import Repository
from lockship.prepare.ahead import begun
from lockship.prepare.apart import apart
from lockship.progress import Event, Report, quiet

if TYPE_CHECKING:
    from lockship.lock.diff import Difference
    from lockship.lock.model import Lock
    from lockship.prepare.account import Resolve
    from lockship.prepare.pins import Upgraded


@dataclass(frozen=True)
class Prepared:
    """The lock that is now at `path`; `before` is the sound one that was there.

    `changed`: the file was written. `differences` are those from `before`, field by field;
    `upgraded` the pins that were looked up again and differ; `notes` what a person should know.
    """

    lock: Lock
    path: Path
    before: Lock | None
    changed: bool
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    upgraded: tuple[Upgraded, ...]


@dataclass(frozen=True)
class Checked:
    """What `prepare` would write; no differences: the lock that is there is fresh."""

    lock: Lock
    path: Path
    before: Lock | None
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]


def prepare(
    start: Path,
    *,
    destination: str | None = None,
    force: bool = False,
    version: str | None = None,
    upgrade: str | None = None,
    frozen: bool = False,
    trusted: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    report: Report = quiet,
    resolve: Resolve | None = None,
) -> Prepared:
    """Lock what the repository around `start` holds, and write the lock where it changed.

    `force` locks a dirty tree by a snapshot in git; `version` names a release; `upgrade` looks up
    the pin of a host or an image ('*': all) again, `frozen` looks none up; `trusted` are keys that
    a person trusts now, by host; `resolve` looks the password of `[registry]` up, where that is
    asked. Raises UsageError for wrong words or configuration, RefusedError for what can't be
    locked, LockshipError where git, the disk, or who is asked for a pin fails.
    """
    with begun(start) as (status, listing):
        from lockship.lock.diff import differences
        from lockship.lock.place import path_below, service_folder
        from lockship.lock.version import SNAPSHOTS
        from lockship.prepare import previous, snapshot
        from lockship.prepare.account import Account
        from lockship.prepare.beware import beware
        from lockship.prepare.compose import compose
        from lockship.prepare.imagepins import base_pins, build_host, named_by
        from lockship.prepare.look import look
        from lockship.prepare.naming import named, on_other_bases, refuse_bad_name
        from lockship.prepare.pins import Choice, pin
        from lockship.prepare.platformpins import pin_platforms

        repository = Repository.discover(start)
        here = service_folder(start, repository.root, destination)
        path = previous.lock_path(here, destination)
        below = path_below(repository.root, here)
        before = previous.read(path, destination)
        refuse_bad_name(version)
        seen = look(
            *(repository, status, listing),
            folder=below,
            destination=destination,
            force=force,
            env={},
        )
        images = named_by(seen.config, seen.bases)
        choice = Choice(upgrade, frozen, trusted)
        account = Account(seen.config, repository.root, resolve) if resolve else None
        pins = pin(
            *(seen.config.every_host(), images, before, choice, report),
            bases=seen.bases,
            builder=build_host(seen.config),
            account=account,
            mirrors=seen.config.mirrors,
        )
        several = seen.bases if len(seen.config.build.platforms) > 1 else {}
        builder = build_host(seen.config)
        platforms, more_notes = pin_platforms(
            *(several, pins.images, before.lock, report),
            frozen=frozen,
            again=[name for name in several if choice.upgrades(name)],
            at=builder,
            host=pins.hosts[builder.name] if builder else None,
            account=account,
            mirrors=seen.config.mirrors,
        )
        source, name, note = named(seen, version, before.lock)
        if version is None:
            base = base_pins(seen.bases, pins.images)
            source, name, more = on_other_bases(source, name, before.lock, base)
            note += more
        lock = compose(
            config=seen.config,
            source=source,
            version=name,
            destination=destination,
            hosts=pins.hosts,
            bases=seen.bases,
            platforms=platforms,
            images=pins.images,
            files=seen.files,
            before=before.lock,
            scripts=seen.hooks.blobs,
        )
        notes = [*before.notes, *note, *seen.hooks.notes, *pins.notes, *more_notes]
        notes += beware(lock, before.lock)
        if seen.snapshot is not None:
            report(Event("start", "snapshot"))
            commit = snapshot.keep(repository, seen.snapshot, seen.version)
            report(Event("done", "snapshot"))
            notes.append(
                f"The working tree is dirty: this locks a snapshot of it, commit {commit[:12]}, "
                f"kept by {SNAPSHOTS}{seen.version}."
            )
        if upgrade is not None and not pins.upgraded:
            notes.append("The pins were looked up again and are as they were.")
        changed = lock != before.lock
        if changed:
            from lockship.lock import writer  # with tomlkit: 50 ms

            writer.write(path, lock)
        return Prepared(
            lock,
            path,
            before.lock,
            changed,
            differences(before.lock, lock),
            tuple(notes),
            pins.upgraded,
        )


def check(start: Path, *, destination: str | None = None) -> Checked:
    """Compute what `prepare` would lock, with the pins of the lock that is there, and compare.

    Writes nothing at all: a dirty tree's objects go to a folder that is thrown away. Raises as
    `prepare` does, but a dirty tree and a damaged lock aren't refused: they make differences.
    """
    with begun(start) as (status, listing), ExitStack() as ending:
        from lockship.lock.diff import differences
        from lockship.lock.place import path_below, service_folder
        from lockship.prepare import platformpins, previous
        from lockship.prepare.compose import compose
        from lockship.prepare.imagepins import named_by
        from lockship.prepare.look import look
        from lockship.prepare.naming import named
        from lockship.prepare.pins import keep, missing

        repository = Repository.discover(start)
        here = service_folder(start, repository.root, destination)
        path = previous.lock_path(here, destination)
        below = path_below(repository.root, here)
        before = previous.read(path, destination)
        env = ending.enter_context(apart(repository))
        seen = look(
            *(repository, status, listing),
            folder=below,
            destination=destination,
            force=True,
            env=env,
        )
        source, name, note = named(seen, None, before.lock)
        images = named_by(seen.config, seen.bases)
        pins = keep(seen.config.every_host(), images, before)
        several = seen.bases if len(seen.config.build.platforms) > 1 else {}
        platforms = platformpins.keep(several, pins.images, before.lock)
        lock = compose(
            config=seen.config,
            source=source,
            version=name,
            destination=destination,
            hosts=pins.hosts,
            bases=seen.bases,
            platforms=platforms,
            images=pins.images,
            files=seen.files,
            before=before.lock,
            scripts=seen.hooks.blobs,
        )
        found = (*differences(before.lock, lock), *missing(images, pins))
        found += platformpins.not_looked_up(several, platforms)
        return Checked(lock, path, before.lock, found, (*before.notes, *note, *seen.hooks.notes))
