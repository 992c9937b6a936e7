"""Look at a host: what a plan needs to know of it, as frozen data."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from lockship.deploy import names
from lockship.deploy.accessory.observe import observe_accessories
from lockship.deploy.ports import holders
from lockship.deploy.proxy.observe import observe_proxy
from lockship.deploy.state import HostState
from lockship.deploy.steps import Release
from lockship.host.server import Server
from lockship.host.types import Container
from lockship.lock.image import familiar
from lockship.lock.model import Lock


def observe(server: Server, lock: Lock) -> HostState:
    """Return the host's state as far as this lock's project is concerned. Changes nothing.

    Files are read while the engine is asked: from far away each question takes a while.
    """
    with ThreadPoolExecutor(1) as files:
        reading = files.submit(read_releases, server, lock)
        found = server.containers({})
        images = server.images({names.SERVICE: lock.service.name})
        releases = reading.result()
    containers = [each for each in found if each.labels.get(names.PROJECT) == lock.project]
    artifact = lock.artifact
    there = {image.id for image in images}
    # One that lockship didn't build has no label of its own, so it isn't among them.
    if artifact is not None and lock.image.digest is not None and server.image(artifact.image_id):
        there.add(artifact.image_id)
    ours = [image for image in images if _named(image.tags, image.digests, lock)]
    return HostState(
        host=server.name,
        containers=tuple(sorted(containers, key=lambda each: each.name)),
        holders=holders(found),
        releases=releases,
        images=tuple(sorted(image.id for image in ours)),
        has_image=artifact is not None and artifact.image_id in there,
        proxy=observe_proxy(server, lock, found) if _proxied(lock, containers) else None,
        accessories=observe_accessories(server, lock, found),
    )


def _proxied(lock: Lock, containers: Iterable[Container]) -> bool:
    return lock.proxy is not None or any(names.UPSTREAM in each.labels for each in containers)


def _named(tags: tuple[str, ...], digests: tuple[str, ...], lock: Lock) -> bool:
    """Whether an image has a name of this lock's repository, and no name of another's."""
    repositories = {tag.rpartition(":")[0] for tag in tags}
    repositories |= {digest.partition("@")[0] for digest in digests}
    return repositories == {familiar(lock.image.repository)}


def read_releases(server: Server, lock: Lock) -> tuple[Release, ...]:
    """Return the host's releases, newest last; none where the file is missing or unreadable.

    A damaged file costs the way back to earlier versions, never a deploy: the next one writes it.
    """
    data = server.read_file(names.releases_path(lock))
    try:
        return msgspec.json.decode(data or b"[]", type=tuple[Release, ...])
    except msgspec.MsgspecError:
        return ()
