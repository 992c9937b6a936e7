"""Look at a host: what a plan needs to know of it, as frozen data."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from lockship.deploy import names
from lockship.deploy.accessory.observe import accessories, accessory_images
from lockship.deploy.platform import kind_of, tells
from lockship.deploy.ports import holders
from lockship.deploy.proxy.observe import SUFFIX, listed_proxy
from lockship.deploy.state import HostState
from lockship.deploy.steps import Release
from lockship.host import questions
from lockship.host.ahead import both
from lockship.host.server import Server
from lockship.host.types import Container
from lockship.lock.image import familiar
from lockship.lock.mirrors import repository_at
from lockship.lock.model import Lock


def observe(server: Server, lock: Lock) -> HostState:
    """Return the host's state as far as this lock's project is concerned. Changes nothing.

    The engine is asked everything at once while files are read: from far away each answer takes a
    while.
    """
    artifact = lock.artifact
    # One that lockship didn't build has no label of its own, so it isn't among the images.
    prebuilt = sorted(artifact.image_ids) if artifact and lock.image.digest is not None else []
    kinds = [questions.INFO] if artifact and tells(artifact) else []
    foreign = accessory_images(lock, server.name)
    (found, images, *more), (releases, routes) = both(
        lambda: server.ask(
            questions.containers({}),
            questions.images({names.SERVICE: lock.service.name}),
            *kinds,
            *(questions.image(reference) for reference in [*prebuilt, *foreign]),
        ),
        lambda: _read(server, lock),
    )
    engine, others = (more[0], more[1:]) if kinds else (None, more)
    platform, by_manifest = kind_of(server.name, lock, engine)
    made = artifact.of(platform) if artifact else None
    made = made.known(by_manifest=by_manifest) if made else None
    there = {image.id for image in [*images, *others[: len(prebuilt)]] if image is not None}
    containers = [each for each in found if each.labels.get(names.PROJECT) == lock.project]
    ours = [image for image in images if _named(image.tags, image.digests, lock)]
    return HostState(
        host=server.name,
        containers=tuple(sorted(containers, key=lambda each: each.name)),
        holders=holders(found),
        releases=releases,
        images=tuple(sorted(image.id for image in ours)),
        has_image=made is not None and made.image_id in there,
        proxy=listed_proxy(server, lock, found, routes) if _proxied(lock, containers) else None,
        accessories=accessories(lock, server.name, found, others[len(prebuilt) :]),
        platform=platform,
        by_manifest=by_manifest,
    )


def _proxied(lock: Lock, containers: Iterable[Container]) -> bool:
    return lock.proxy is not None or any(names.UPSTREAM in each.labels for each in containers)


def _named(tags: tuple[str, ...], digests: tuple[str, ...], lock: Lock) -> bool:
    """Whether an image has a name of this lock's repository, maybe a mirror's, and no other's."""
    repositories = {tag.rpartition(":")[0] for tag in tags}
    repositories |= {digest.partition("@")[0] for digest in digests}
    own = lock.image.repository
    places = {familiar(own), familiar(repository_at(own, lock.mirrors))}
    return bool(repositories) and repositories <= places


def _read(server: Server, lock: Lock) -> tuple[tuple[Release, ...], dict[str, bytes] | None]:
    """Read the releases and, where the lock has a proxy, the route files that are most likely."""
    if lock.proxy is None:
        return read_releases(server, lock), None
    path = names.releases_path(lock)
    (data,), (routes,) = server.look([path], [(names.proxy_folder(lock), SUFFIX)])
    return releases_in(data), routes


def read_releases(server: Server, lock: Lock) -> tuple[Release, ...]:
    """Return the host's releases, newest last; none where the file is missing or unreadable.

    A damaged file costs the way back to earlier versions, never a deploy: the next one writes it.
    """
    return releases_in(server.read_file(names.releases_path(lock)))


def releases_in(data: bytes | None) -> tuple[Release, ...]:
    """Return the releases of a host's file."""
    try:
        return msgspec.json.decode(data or b"[]", type=tuple[Release, ...])
    except msgspec.MsgspecError:
        return ()
