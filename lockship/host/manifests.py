"""An index of several platforms in a registry: which image each platform has. Read, and written.

An engine tells which platforms an index has, and not which images they are; nor does it write one.
What is read here is asked for by its digest and compared with that, so it doesn't matter who hands
it over. The protocol is the OCI distribution specification's, with tokens as in
distribution.github.io/distribution/spec/auth/token.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from lockship.errors import LockshipError
from lockship.host.again import Tries
from lockship.host.parse import image_platform
from lockship.host.retryafter import seconds
from lockship.host.types import RegistryAuth
from lockship.lock.platform import plain
from lockship.lock.reference import HUB, Reference

if TYPE_CHECKING:
    import requests

_OCI: Final = "application/vnd.oci.image"
_DOCKER: Final = "application/vnd.docker.distribution.manifest"
_INDEX: Final = (f"{_OCI}.index.v1+json", f"{_DOCKER}.list.v2+json")
_IMAGE: Final = (f"{_OCI}.manifest.v1+json", f"{_DOCKER}.v2+json")
_HUB_ADDRESS: Final = "registry-1.docker.io"
_TRUSTED: Final = Path("/etc/docker/certs.d")  # where engines have the authorities of registries
_TIMEOUT: Final = 20.0  # seconds for one answer
_LONGEST: Final = 4 << 20  # bytes; the specification's limit for a manifest
_LIMITED, _FAILING = 429, 500
_FIELD: Final = re.compile(r'(\w+)="([^"]*)"')


def read_index(reference: Reference, digest: str, auth: RegistryAuth | None) -> dict[str, str]:
    """Return the digest of each platform's image in an index, by its plain name.

    Raises LockshipError where the registry can't be asked from here, or says something else.
    """
    with _registry(reference, auth) as registry:
        return dict(_images(registry.manifest(digest, _INDEX)[0]))


def write_index(
    reference: Reference, tag: str, images: Mapping[str, str], auth: RegistryAuth | None
) -> str:
    """Put an index of images that are in the repository (platform to digest) under a tag.

    Returns its digest: the same images make the same one. Raises as `read_index`.
    """
    listed = []
    with _registry(reference, auth) as registry:
        for platform, digest in images.items():
            body, kind = registry.manifest(digest, _IMAGE)
            one = {"mediaType": kind, "digest": digest, "size": len(body)}
            listed.append({**one, "platform": _parts(platform)})
        docker = all(each["mediaType"] == _IMAGE[1] for each in listed)
        kind = _INDEX[1] if docker else _INDEX[0]
        index = {"schemaVersion": 2, "mediaType": kind, "manifests": listed}
        body = json.dumps(index, indent=2).encode()
        registry.ask("PUT", tag, {"Content-Type": kind}, body)
    return _digest(body)


@dataclass
class _Registry:
    """A repository in a registry, spoken to over TLS alone."""

    session: requests.Session
    address: str
    auth: RegistryAuth | None
    proof: dict[str, str] = field(default_factory=dict)

    def manifest(self, digest: str, kinds: tuple[str, ...]) -> tuple[bytes, str]:
        """Return a manifest and its kind."""
        body, kind = self.ask("GET", digest, {"Accept": ", ".join(kinds)})
        if _digest(body) != digest:
            raise ValueError(f"for {digest[:19]} it answers with something else")
        return body, kind

    def ask(
        self, method: str, name: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[bytes, str]:
        """Ask for a manifest or give one; where the registry wants to know who asks, tell it."""
        answer = self._ask(method, name, headers, body)
        if answer.status_code == 401:
            said = answer.headers.get("WWW-Authenticate", "")
            self.proof = _proof(self.session, said, self.auth)
            answer = self._ask(method, name, headers, body)
        answer.raise_for_status()
        found = answer.raw.read(_LONGEST + 1, decode_content=True)
        return found, answer.headers.get("Content-Type", "").partition(";")[0]

    def _ask(
        self, method: str, name: str, headers: Mapping[str, str], body: bytes | None
    ) -> requests.Response:
        told = {**headers, **self.proof}
        url = f"{self.address}/{name}"
        tries = Tries()
        while True:
            answer = self.session.request(
                method, url, headers=told, data=body, timeout=_TIMEOUT, stream=True
            )
            wait = tries.wait_after(_passing(answer))
            if wait is None:
                return answer
            answer.close()
            time.sleep(wait)


@contextmanager
def _registry(reference: Reference, auth: RegistryAuth | None) -> Iterator[_Registry]:
    import requests  # comes with the Docker SDK, which is loaded where this is asked for

    domain = _HUB_ADDRESS if reference.domain == HUB else reference.domain
    try:
        with requests.Session() as session:
            session.auth = _as_it_is  # else what ~/.netrc says would go along
            for authority in sorted((_TRUSTED / domain).glob("*.crt"))[:1]:
                session.verify = str(authority)
            yield _Registry(session, f"https://{domain}/v2/{reference.path}/manifests", auth)
    except (requests.RequestException, OSError, ValueError) as error:
        raise LockshipError(f"{reference.domain} can't be asked from here: {error}") from error


def _passing(answer: requests.Response) -> str:
    """Say in an engine's words what may be over in a moment; '' for all else."""
    if answer.status_code < _FAILING and answer.status_code != _LIMITED:
        return ""
    pause = seconds(answer.headers.get("Retry-After", ""))
    return f"unexpected status {answer.status_code}" + (
        f" retry-after: {pause:g}s" if pause else ""
    )


def _as_it_is(request: Any) -> Any:
    return request


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _images(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield platform and digest of what an index lists; what isn't an index has none.

    Attestations are listed too, for a platform that nobody has.
    """
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        for each in json.loads(body).get("manifests") or ():
            said = each.get("platform") or {}
            named = {key.capitalize(): value for key, value in said.items()}
            if "unknown" not in (named.get("Os"), named.get("Architecture")):
                yield image_platform(named), str(each["digest"])


def _parts(platform: str) -> dict[str, str]:
    names = ("os", "architecture", "variant")
    return dict(zip(names, plain(platform).split("/"), strict=False))


def _proof(session: requests.Session, said: str, auth: RegistryAuth | None) -> dict[str, str]:
    """Return the header that answers a registry's question for credentials, over TLS alone."""
    kind, _, rest = said.partition(" ")
    fields = dict(_FIELD.findall(rest))
    basic = None
    if auth is not None and auth.username:
        basic = "Basic " + b64encode(f"{auth.username}:{auth.password}".encode()).decode()
    if kind.lower() == "basic":
        return {"Authorization": basic} if basic else {}
    realm = fields.get("realm", "")
    if urlsplit(realm).scheme != "https":
        raise ValueError(f"it sends for a token to {realm!r}")
    asked = {key: fields[key] for key in ("service", "scope") if key in fields}
    if auth is not None and auth.identity_token:
        form = {"grant_type": "refresh_token", "refresh_token": auth.identity_token}
        form |= {**asked, "client_id": "lockship"}
        answer = session.post(realm, data=form, timeout=_TIMEOUT)
    else:
        headers = {"Authorization": basic} if basic else {}
        answer = session.get(realm, params=asked, headers=headers, timeout=_TIMEOUT)
    answer.raise_for_status()
    told: Mapping[str, Any] = answer.json()
    return {"Authorization": f"Bearer {told.get('token') or told.get('access_token') or ''}"}
