"""What no release that is kept needs any more: what `lockship prune` removes. Pure, but `look`.

A deploy removes the same as it ends; prune is for what is left where deploys failed or were
killed, where `[deploy] retain` became less, and for stored locks, which no deploy removes.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import msgspec

from lockship.deploy import names
from lockship.deploy.goals import RUNNING
from lockship.deploy.observe import observe
from lockship.deploy.state import HostState
from lockship.deploy.steps import (
    HostPlan,
    Release,
    RemoveContainer,
    RemoveFile,
    RemoveImage,
    SetReleases,
    Step,
)
from lockship.host.link import UNFINISHED
from lockship.host.server import Server
from lockship.lock.model import Lock

_WHY = "no release that is kept for a rollback"


def look(server: Server, lock: Lock) -> HostState:
    """Observe a host as a deploy does, and the files of its run folder too."""
    found: list[str] = []
    for folder in (names.project_folder(lock), names.locks_folder(lock)):
        found += [posixpath.join(folder, name) for name in server.list_folder(folder)]
    return msgspec.structs.replace(observe(server, lock), files=tuple(sorted(found)))


def kept(lock: Lock, state: HostState) -> tuple[Release, ...]:
    """Return the releases that stay: the current one, and as many before it as are retained."""
    return state.releases[-(lock.deploy.retain + 1) :]


def prune(lock: Lock, state: HostState, *, locks: bool) -> HostPlan:
    """Remove what isn't kept: stopped containers, images, unfinished files.

    With `locks` also the stored locks, without which a version that was never committed can't be
    looked at any more. What runs is left alone, and so is all that it needs.
    """
    releases = kept(lock, state)
    running = [each for each in state.containers if each.state in RUNNING]
    fingerprints = {each.fingerprint for each in releases} | {lock.fingerprint}
    fingerprints |= {each.labels.get(names.FINGERPRINT, "") for each in running}
    images = {each.image_id for each in releases} | {each.image_id for each in running}
    steps: list[Step] = []
    if releases != state.releases:
        steps.append(SetReleases(releases, f"{lock.deploy.retain} earlier ones are kept"))
    for each in state.containers:
        if each not in running and each.labels.get(names.FINGERPRINT) not in fingerprints:
            steps.append(RemoveContainer(each.name, _WHY))
            continue
        images.add(each.image_id)
    if lock.artifact is not None:
        images |= lock.artifact.image_ids
    steps += [RemoveImage(image, _WHY) for image in state.images if image not in images]
    steps += _files(lock, state, fingerprints if locks else None)
    return HostPlan(state.host, switch=tuple(steps))


def _files(lock: Lock, state: HostState, fingerprints: set[str] | None) -> Iterator[Step]:
    needed = {names.stored_lock_path(lock, each) for each in fingerprints or ()}
    for path in state.files:
        if path.endswith(UNFINISHED):
            yield RemoveFile(path, "a deploy that was killed was writing it")
        elif (
            fingerprints is not None
            and posixpath.dirname(path) == names.locks_folder(lock)
            and path not in needed
        ):
            yield RemoveFile(path, _WHY)
