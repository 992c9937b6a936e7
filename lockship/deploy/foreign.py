"""How an image that no `build` makes gets to a host: the proxy's, or an accessory's.

What is there is taken. With a digest in its name it is pulled by it; where that fails, and for one
that is in no registry (`@id:`), this machine's engine is asked. A lock from before pins names a tag
alone: then this machine's engine is asked first, so that every host gets the same.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType

from lockship.errors import LockshipError
from lockship.host.connect import connect
from lockship.host.credentials import auth_at, registry_auth
from lockship.host.server import Server
from lockship.host.ship import Spool, feed, missing_layers, spool
from lockship.host.types import ImageInfo, RegistryAuth
from lockship.lock.image import Image
from lockship.lock.mirrors import mirrored
from lockship.lock.model import LOCAL, Host, Lock
from lockship.lock.reference import Pinned, parse_pinned
from lockship.progress import Event, Report
from lockship.scratch import scratch_folder
from lockship.secrets.secret import Secret


class ForeignImages:
    """Images for one command. Each is taken out of the local engine once, for all hosts.

    `secrets` are the lock's; without that of `[registry]`, `docker login` alone counts. Use as a
    context manager. Where no host needs it, nothing is asked and nothing is kept.
    """

    def __init__(self, lock: Lock, report: Report, secrets: Mapping[str, Secret]) -> None:
        self._lock = lock
        self._secrets = secrets
        self._report = report
        self._opened = ExitStack()
        self._asking = threading.Lock()
        self._spools: dict[str, Spool | None] = {}

    def __enter__(self) -> ForeignImages:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()

    def get(self, server: Server, reference: str, what: str) -> str:
        """Bring an image, `what` in words, to a server unless it is there; return its id."""
        pinned = parse_pinned(reference)
        found = image_there(server, reference, self._lock.mirrors)
        if found is not None:
            return found.id
        if not pinned.digest:
            shipped = self._ship(server, pinned)
            if shipped is not None:
                return shipped
        try:
            self._pull(server, pinned, what)
        except LockshipError:
            shipped = self._ship(server, pinned) if pinned.digest else None
            if shipped is None:
                raise
            return shipped
        found = image_there(server, reference, self._lock.mirrors)
        if found is None:
            raise LockshipError(f"{server.name}: the image {pinned.asked} didn't arrive.")
        return found.id

    def _pull(self, server: Server, pinned: Pinned, what: str) -> None:
        if pinned.local:
            raise LockshipError(
                f"{server.name}: {what} can't be had: {pinned.named} is in no registry, nor here.",
                hint=f"Load it here: the lock wants the one with the id {pinned.asked}.",
            )
        asked = _asked_at(pinned, self._lock.mirrors)
        registry = Image(repository=asked.partition("@")[0], tag="").registry
        try:
            server.pull(asked, self._auth(registry))
        except LockshipError as error:
            raise LockshipError(
                f"{server.name}: {what} can't be had.",
                details=[error.message, *error.details],
                hint=f"Let it reach the registry, or have it here: docker pull {asked}",
            ) from error

    def _auth(self, registry: str | None) -> RegistryAuth | None:
        own = self._lock.registry
        if own is not None and own.password in self._secrets:
            return auth_at(registry, self._lock, self._secrets)
        return registry_auth(registry)

    def _ship(self, server: Server, pinned: Pinned) -> str | None:
        """Send this machine's copy, unless it has none; return its id, by which it is there now."""
        spooled = self._spooled(pinned)
        if spooled is None:
            return None
        sent = feed(server, spooled, missing_layers(server, spooled.image))
        self._report(Event("note", f"sent {sent} bytes of {pinned.named}", server.name))
        return spooled.image.id

    def _spooled(self, pinned: Pinned) -> Spool | None:
        """Export the image of this machine's engine, whichever host comes first; None: not here."""
        with self._asking:
            if pinned.asked not in self._spools:
                self._spools[pinned.asked] = self._export(pinned)
            return self._spools[pinned.asked]

    def _export(self, pinned: Pinned) -> Spool | None:
        limit = self._lock.deploy.connect_timeout
        try:
            source = self._opened.enter_context(connect(LOCAL, Host(), timeout=limit))
            image = source.image(pinned.asked)
        except LockshipError:
            return None  # without an engine here, hosts pull it themselves
        if image is None:
            return None
        try:
            folder = self._opened.enter_context(scratch_folder())
            return spool(source, image.id, frozenset(image.layers), folder, tags=[pinned.named])
        except OSError as error:
            raise LockshipError(
                f"{pinned.named} can't be kept on this machine on its way: {error.strerror}.",
                hint="Make room in the folder for temporary files, or set TMPDIR to another one.",
            ) from error


def image_there(server: Server, reference: str, mirrors: Mapping[str, str]) -> ImageInfo | None:
    """Return the image that a lock names where a host has it, by its own name or a mirror's."""
    found = (server.image(name) for name in names_of(reference, mirrors))
    return next((image for image in found if image is not None), None)


def names_of(reference: str, mirrors: Mapping[str, str]) -> tuple[str, ...]:
    """Return by what an engine knows an image: its own name and, if it is another one, a mirror's.

    That is its id, `repository@digest` or, without a pin, `repository:tag`.
    """
    pinned = parse_pinned(reference)
    return tuple(dict.fromkeys([pinned.asked, _asked_at(pinned, mirrors)]))


def _asked_at(pinned: Pinned, mirrors: Mapping[str, str]) -> str:
    """Return how a pinned image is asked for where it is had; one without a pin by its own name."""
    return mirrored(pinned.asked, mirrors) if pinned.digest and not pinned.local else pinned.asked
