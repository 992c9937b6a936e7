"""A registry, spoken to through the engine, which knows its certificates and proxies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import docker
import docker.errors

from lockship.errors import LockshipError
from lockship.host.engine import Engine, Found, engine_errors
from lockship.host.images import credentials
from lockship.host.patient import patiently
from lockship.host.refusals import RegistryError, registry_error
from lockship.host.types import RegistryAuth
from lockship.lock.reference import parse_reference
from lockship.progress import Event, Report, quiet

T = TypeVar("T")
_PUSHED: Final = re.compile(r"[^ ]+: digest: (sha256:[0-9a-f]{64}) size: [0-9]+")


@dataclass(frozen=True)
class RegistryRepository:
    """A repository in a registry: `name` as in `registry.example.com/acme/shop`.

    Methods raise LockshipError, with what to do, where the registry refuses or can't be reached.
    What may be over in a moment is tried again first, and said.
    """

    engine: Engine
    name: str
    auth: RegistryAuth | None
    report: Report = quiet

    def digest(self, tag: str) -> str | None:
        """Return the digest that is there under a tag; None when there is none."""
        return self._patiently(lambda: self._digest(tag))

    def _digest(self, tag: str) -> str | None:
        reference = f"{self.name}:{tag}"
        with engine_errors():
            try:
                answer: Mapping[str, Any] = self.engine.api.inspect_distribution(  # type: ignore[no-untyped-call]
                    reference, auth_config=self._auth_config()
                )
            except docker.errors.APIError as error:
                refusal = registry_error(reference, str(error.explanation), error.status_code)
                if refusal is None:
                    return None
                raise refusal from error
        return str(answer["Descriptor"]["digest"])

    def pull(self, digest: str) -> Found:
        """Pull an image by its digest."""
        reference = f"{self.name}@{digest}"
        self._patiently(lambda: self._pull(reference))
        found = self.engine.image(reference)
        if found is None:
            raise LockshipError(
                f"{reference} was pulled, and isn't here.",
                hint="Something removes images from this engine; run the same command again.",
            )
        return found

    def _pull(self, reference: str) -> None:
        with engine_errors():
            try:
                last_digest(
                    reference,
                    self.engine.api.pull(
                        reference, stream=True, decode=True, auth_config=self._auth_config()
                    ),
                )
            except docker.errors.APIError as error:
                raise _refusal(reference, str(error.explanation), error.status_code) from error

    def push(self, tag: str) -> str:
        """Push a tag; return its manifest's digest, as the registry answered the push."""
        reference = f"{self.name}:{tag}"
        step = f"push {reference}"
        self.report(Event("start", step))
        try:
            digest = self._patiently(lambda: self._push(reference, tag))
        except BaseException:
            self.report(Event("failed", step))
            raise
        self.report(Event("done", step))
        if digest is None:
            raise LockshipError(
                f"{reference} was pushed, and the engine didn't say under which digest.",
                hint="Run the same command again: it looks up what is in the registry.",
            )
        return digest

    def _push(self, reference: str, tag: str) -> str | None:
        with engine_errors():
            return last_digest(reference, self._pushing(reference, tag))

    def _patiently(self, attempt: Callable[[], T]) -> T:
        named = parse_reference(self.name)
        domain = named.domain if named else self.name.partition("/")[0]
        return patiently(domain, attempt, lambda what: self.report(Event("note", what)))

    def _pushing(self, reference: str, tag: str) -> Iterable[Mapping[str, Any]]:
        try:
            yield from self.engine.api.push(
                self.name, tag=tag, stream=True, decode=True, auth_config=self._auth_config()
            )
        except docker.errors.APIError as error:
            raise _refusal(reference, str(error.explanation), error.status_code) from error

    def _auth_config(self) -> dict[str, str]:
        """Return the credentials as the SDK takes them; never None: it would look by itself."""
        return credentials(self.auth) if self.auth is not None else {}


def last_digest(reference: str, events: Iterable[Mapping[str, Any]]) -> str | None:
    """Read a pull's or push's answer to its end; return the digest that it says, if any."""
    digest = None
    for event in events:
        if "error" in event or "errorDetail" in event:
            said = (event.get("errorDetail") or {}).get("message") or event.get("error", "")
            raise _refusal(reference, str(said), None)
        digest = (event.get("aux") or {}).get("Digest", digest)
        # An engine that keeps its images in containerd says it in its status alone.
        told = _PUSHED.fullmatch(str(event.get("status", "")))
        digest = told[1] if told else digest
    return digest


def _refusal(reference: str, said: str, status: int | None) -> RegistryError:
    return registry_error(reference, said, status) or RegistryError(
        f"The registry has no {reference}.",
        details=[said],
        hint="Check the image's name, then run the same command again.",
    )
