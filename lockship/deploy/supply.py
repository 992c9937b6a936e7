"""How the locked image gets to the hosts: from the registry by digest, or over SSH.

Over SSH it comes from where it was built: this machine's engine, or the build host's.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType

from lockship.deploy.fleet import each
from lockship.deploy.probe import Halted
from lockship.deploy.steps import Plan, ShipImage
from lockship.errors import LockshipError, RefusedError
from lockship.host.connect import connect
from lockship.host.credentials import auth_at
from lockship.host.server import Server
from lockship.host.ship import Spool, feed, missing_layers, spool
from lockship.host.types import ImageInfo
from lockship.lock.image import Image, Made
from lockship.lock.mirrors import repository_at
from lockship.lock.model import LOCAL, Host, Lock
from lockship.progress import Event, Report
from lockship.scratch import scratch_folder, sweep
from lockship.secrets.secret import Secret


class ImageMissing(RefusedError):  # noqa: N818 - what is missing, not an error's kind
    """No registry has the locked image and this machine's engine hasn't it either: build it."""


class Supply:
    """The image's source for one deploy. Spooled from the local engine once, for all hosts.

    `made` is each host's image: of several, one for each platform.

    Use as a context manager: the spool is a temporary folder. `halt` set ends what is on its way.
    """

    def __init__(
        self,
        lock: Lock,
        made: Mapping[str, Made],
        servers: Mapping[str, Server],
        plan: Plan,
        report: Report,
        halt: threading.Event,
        secrets: Mapping[str, Secret],
    ) -> None:
        self._secrets = secrets
        self._lock = lock
        self._made = made
        self._servers = servers
        self._report = report
        self._halt = halt
        self._wanting = [
            host.host
            for host in plan.hosts
            if any(isinstance(step, ShipImage) and step.via == "ssh" for step in host.stage)
        ]
        self._opened = ExitStack()
        self._source: Server | None = None
        self._spools: dict[str, Spool] = {}
        self._images: Mapping[str, ImageInfo] = {}
        self._missing: Mapping[str, frozenset[str]] = {}
        self._lock_spool = threading.Lock()

    def __enter__(self) -> Supply:
        """Check, before anything starts, that the image can be had here where it is wanted."""
        sweep()
        with self._opened:
            if self._wanting:
                limit = self._lock.deploy.connect_timeout
                here = self._lock.build.host or LOCAL
                host = self._lock.hosts.get(here, Host())
                self._source = self._opened.enter_context(connect(here, host, timeout=limit))
                source = self._source
                wanted = dict.fromkeys(self._made[name] for name in self._wanting)
                images = {made: self._image_here(source, made) for made in wanted}
                self._images = {name: images[self._made[name]] for name in self._wanting}
                self._missing = self._ask_missing()
            self._opened = self._opened.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the spool."""
        self._opened.close()

    def ship(self, server: Server) -> None:
        """Bring the image to `server`. Raises Halted where `halt` is set meanwhile."""
        made = self._made[server.name]
        if made.digest is not None:
            repository = repository_at(self._lock.image.repository, self._lock.mirrors)
            reference = f"{repository}@{made.digest}"
            registry = Image(repository=repository, tag="").registry
            auth = auth_at(registry, self._lock, self._secrets)

            def note(what: str) -> None:
                self._report(Event("note", what, server.name))

            server.pull(reference, auth, check=self._check, note=note)
            return
        missing = self._missing[server.name]
        spooled = self._spooled(self._images[server.name].id)
        sent = feed(server, spooled, missing, check=self._check, wanted=made.image_id)
        self._report(Event("note", f"sent {sent} bytes", server.name))

    def _check(self) -> None:
        if self._halt.is_set():
            raise Halted("the image was stopped on its way, as the deploy is")

    def _image_here(self, source: Server, made: Made) -> ImageInfo:
        """Return the image where it comes from, which may know it by another id than the host."""
        known = self._lock.artifact
        ids = known.alike(made.image_id) if known else (made.image_id,)
        found = (source.image(each) for each in ids)
        image = next((each for each in found if each is not None), None)
        if image is None:
            raise ImageMissing(
                f"The image of {self._lock.service.name} {self._lock.service.version} is "
                f"neither on {self._lock.build.host or 'this machine'} nor in a registry.",
                hint="Run `lockship build`, then `lockship deploy` again.",
            )
        return image

    def _ask_missing(self) -> Mapping[str, frozenset[str]]:
        """Ask each host which layers of its image it lacks."""
        results = each(
            self._wanting,
            lambda name: missing_layers(self._servers[name], self._images[name]),
            parallel=self._lock.deploy.parallel,
        )
        values = results.values_or_raise("Not every host could be asked for its layers.")
        return dict(zip(results.done, values, strict=True))

    def _spooled(self, image_id: str) -> Spool:
        """Export an image once, whichever host comes first; the others wait for it."""
        with self._lock_spool:
            self._check()
            if image_id not in self._spools:
                assert self._source is not None  # noqa: S101 - ship() over SSH means __enter__ opened it
                alike = [name for name in self._wanting if self._images[name].id == image_id]
                needed = frozenset().union(*(self._missing[name] for name in alike))
                try:
                    folder = self._opened.enter_context(scratch_folder())
                    self._spools[image_id] = spool(self._source, image_id, needed, folder)
                except OSError as error:
                    raise LockshipError(
                        f"The image can't be kept on this machine on its way: {error.strerror}.",
                        hint="Make room in the folder for temporary files, or set TMPDIR to"
                        " another one, then `lockship deploy` again.",
                    ) from error
            return self._spools[image_id]
