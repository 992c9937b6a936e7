"""Start a host's proxy, and replace it by one with other settings."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Final

from lockship.deploy.foreign import ForeignImages
from lockship.deploy.proxy import certificates, confirm, plugin, route, tls
from lockship.deploy.proxy.container import NAME, is_ours, proxy_spec
from lockship.deploy.proxy.observe import observe_proxy
from lockship.deploy.proxy.replace import FORMER, set_aside
from lockship.errors import LockshipError
from lockship.host.errors import HostError
from lockship.host.server import Server
from lockship.host.types import Container
from lockship.lock.model import Lock
from lockship.lock.proxy import ProxyServer

_TRIAL: Final = f"{NAME}-trial"
_README: Final = b"""\
Each .yml file here is the route of one service, written by lockship at its deploys.
The container lockship-proxy reads them at once when they change.
"""

GetImage = Callable[[Server], str]


def image_of(images: ForeignImages, lock: Lock) -> GetImage:
    """Return what brings the proxy's image to a server, and tells its id there."""
    return lambda server: images.get(server, settings(lock).image, "the proxy's image")


def settings(lock: Lock) -> ProxyServer:
    """Return what the lock says of the proxy's container. Raises LockshipError where it doesn't."""
    if lock.proxy is None:
        raise LockshipError(
            f"{lock.project} isn't behind a proxy: its lock has no [proxy].",
            hint="Give lockship.toml a [proxy] table and a role `proxy = true`, then prepare.",
        )
    return lock.proxy.server


def boot(server: Server, lock: Lock, get_image: GetImage) -> bool:
    """Start the proxy unless it runs, and wait until it answers; return whether it was started.

    One that is there is only started: `reboot` gives it other settings.
    """
    state = observe_proxy(server, lock)
    found = state.container
    if found is not None:
        require_ours(server, found)
        if found.state == "running":
            return False
    else:
        image = get_image(server)
        _make_folder(server, state.folder)
        for left in (FORMER, _TRIAL):  # of a reboot that was killed
            server.remove(left)
        try:
            server.create(proxy_spec(settings(lock), image, state.folder))
        except HostError:
            if server.container(NAME) is None:  # else another deploy was faster
                raise
    _start(server, fresh=found is None)
    return True


def reboot(server: Server, lock: Lock, get_image: GetImage) -> None:
    """Replace the proxy by one with the lock's settings; the route files stay.

    The new one is tried before the old one ends: without ports, on the same files. Between the
    two nobody listens for a moment. Raises NotServed where the new one doesn't serve a route, and
    what `set_aside` does.
    """
    state = observe_proxy(server, lock)
    if state.container is not None:
        require_ours(server, state.container)
    image = get_image(server)
    _make_folder(server, state.folder)
    server.remove(_TRIAL)  # of a reboot that was killed
    try:
        server.create(proxy_spec(settings(lock), image, state.folder, _TRIAL))
        server.start(_TRIAL)
        confirm.wait_ready(server, _TRIAL)
    finally:
        server.remove(_TRIAL)
    kept = certificates.kept(server, (file.text for file in state.routes))

    def serving() -> None:  # it answers before it has read its files, and says 404 until then
        for file in state.routes:
            if route.routers_of(file.text):
                confirm.wait_serving(server, file.project, file.text)

    with set_aside(server, state.container, serving):
        server.create(proxy_spec(settings(lock), image, state.folder))
        if kept:
            server.inside(NAME).put(tls.FOLDER, kept)
        _start(server, fresh=True)
    serving()


def require_ours(server: Server, found: Container) -> None:
    """Raise LockshipError where the container of the proxy's name is somebody else's."""
    if not is_ours(found):
        raise LockshipError(
            f"{server.name}: the container {NAME} isn't lockship's.",
            hint="Remove or rename that container.",
        )


def _start(server: Server, *, fresh: bool) -> None:
    """Start the container; one that never ran and can't is removed, so that nothing is left."""
    try:
        server.start(NAME)
    except HostError:
        found = server.container(NAME) if fresh else None
        if found is not None and found.state == "created":
            server.remove(NAME)
        raise
    confirm.wait_ready(server)


def _make_folder(server: Server, folder: str) -> None:
    """Make the folders of the route files and the plugin; the engine would make them as root."""
    server.write_file(posixpath.join(folder, "README"), _README, 0o644)
    for path, data in plugin.files(folder).items():
        server.write_file(path, data, 0o644)
