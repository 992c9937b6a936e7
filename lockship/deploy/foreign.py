"""How an image that no `build` makes gets to a host: the proxy's, or an accessory's.

What is there is taken. With a digest in its name it is pulled by it. Else this machine's engine is
asked, so that every host gets the same; what isn't here either, hosts pull by its tag.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from types import TracebackType

from lockship.deploy.spoolfolder import spool_folder
from lockship.errors import LockshipError
from lockship.host.connect import connect
from lockship.host.credentials import registry_auth
from lockship.host.server import Server
from lockship.host.ship import Spool, feed, missing_layers, spool
from lockship.lock.image import Image
from lockship.lock.model import LOCAL, Host, Lock
from lockship.progress import Event, Report


class ForeignImages:
    """Images for one command. Each is taken out of the local engine once, for all hosts.

    Use as a context manager. Where no host needs it, nothing is asked and nothing is kept.
    """

    def __init__(self, lock: Lock, report: Report) -> None:
        self._lock = lock
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
        named, _, digest = reference.partition("@")
        wanted = asked_for(reference)
        found = server.image(wanted)
        if found is None:
            spooled = None if digest else self._spooled(named)
            if spooled is not None:
                sent = feed(server, spooled, missing_layers(server, spooled.image))
                self._report(Event("note", f"sent {sent} bytes of {named}", server.name))
            else:
                _pull(server, wanted, what)
            found = server.image(wanted)
        if found is None:
            raise LockshipError(f"{server.name}: the image {wanted} didn't arrive.")
        return found.id

    def _spooled(self, named: str) -> Spool | None:
        """Export the image of this machine's engine, whichever host comes first; None: not here."""
        with self._asking:
            if named not in self._spools:
                self._spools[named] = self._export(named)
            return self._spools[named]

    def _export(self, named: str) -> Spool | None:
        limit = self._lock.deploy.connect_timeout
        try:
            source = self._opened.enter_context(connect(LOCAL, Host(), timeout=limit))
            image = source.image(named)
        except LockshipError:
            return None  # without an engine here, hosts pull it themselves
        if image is None:
            return None
        try:
            folder = self._opened.enter_context(spool_folder())
            return spool(source, image.id, frozenset(image.layers), folder, tags=[named])
        except OSError as error:
            raise LockshipError(
                f"The image {named} can't be kept on this machine on its way: {error.strerror}.",
                hint="Make room in the folder for temporary files, or set TMPDIR to another one.",
            ) from error


def asked_for(reference: str) -> str:
    """Return by what an engine knows an image: `repository@digest`, or `repository:tag`."""
    named, _, digest = reference.partition("@")
    return f"{named.rpartition(':')[0]}@{digest}" if digest else named


def _pull(server: Server, wanted: str, what: str) -> None:
    registry = Image(repository=wanted.partition("@")[0], tag="").registry
    try:
        server.pull(wanted, registry_auth(registry))
    except LockshipError as error:
        raise LockshipError(
            f"{server.name}: {what} can't be had.",
            details=[error.message, *error.details],
            hint=f"Let the host reach its registry, or have it here: docker pull {wanted}",
        ) from error
