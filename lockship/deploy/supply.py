"""How the locked image gets to the hosts: from the registry by digest, or from here over SSH."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from lockship.deploy.fleet import each
from lockship.deploy.steps import Plan, ShipImage
from lockship.errors import RefusedError
from lockship.host.connect import connect
from lockship.host.credentials import registry_auth
from lockship.host.server import Server
from lockship.host.ship import Spool, feed, missing_layers, spool
from lockship.host.types import ImageInfo
from lockship.lock.model import LOCAL, Artifact, Host, Lock
from lockship.progress import Event, Report


class ImageMissing(RefusedError):  # noqa: N818 - what is missing, not an error's kind
    """No registry has the locked image and this machine's engine hasn't it either: build it."""


class Supply:
    """The image's source for one deploy. Spooled from the local engine once, for all hosts.

    Use as a context manager: the spool is a temporary folder.
    """

    def __init__(
        self,
        lock: Lock,
        artifact: Artifact,
        servers: Mapping[str, Server],
        plan: Plan,
        report: Report,
    ) -> None:
        self._lock = lock
        self._artifact = artifact
        self._servers = servers
        self._report = report
        self._wanting = [
            host.host
            for host in plan.hosts
            if any(isinstance(step, ShipImage) and step.via == "ssh" for step in host.stage)
        ]
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._source: Server | None = None
        self._spool: Spool | None = None
        self._missing: Mapping[str, frozenset[str]] = {}
        self._lock_spool = threading.Lock()

    def __enter__(self) -> Supply:
        """Check, before anything starts, that the image can be had here where it is wanted."""
        if self._wanting:
            self._source = connect(LOCAL, Host(), timeout=self._lock.deploy.connect_timeout)
            image = self._source.image(self._artifact.image_id)
            if image is None:
                raise ImageMissing(
                    f"The image of {self._lock.service.name} {self._lock.service.version} is "
                    "neither on this machine nor in a registry.",
                    hint="Run `lockship build`, then `lockship deploy` again.",
                )
            self._missing = self._ask_missing(image)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the spool."""
        if self._folder is not None:
            self._folder.cleanup()
        if self._source is not None:
            self._source.close()

    def ship(self, server: Server) -> None:
        """Bring the image to `server`."""
        if self._artifact.digest is not None:
            reference = f"{self._lock.image.repository}@{self._artifact.digest}"
            server.pull(reference, registry_auth(self._lock.image.registry))
            return
        sent = feed(server, self._spooled(), self._missing[server.name])
        self._report(Event("note", f"sent {sent} bytes", server.name))

    def _ask_missing(self, image: ImageInfo) -> Mapping[str, frozenset[str]]:
        results = each(
            self._wanting,
            lambda name: missing_layers(self._servers[name], image),
            parallel=self._lock.deploy.parallel,
        )
        values = results.values_or_raise("Not every host could be asked for its layers.")
        return dict(zip(results.done, values, strict=True))

    def _spooled(self) -> Spool:
        """Export once, whichever host comes first; the others wait for it."""
        with self._lock_spool:
            if self._spool is None:
                assert self._source is not None  # noqa: S101 - ship() over SSH means __enter__ opened it
                self._folder = tempfile.TemporaryDirectory(prefix="lockship-ship-")
                needed = frozenset().union(*self._missing.values())
                self._spool = spool(
                    self._source, self._artifact.image_id, needed, Path(self._folder.name)
                )
            return self._spool
