"""Images of an engine: pull, load, export."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from lockship.host.again import Tries, is_limit
from lockship.host.errors import HostError
from lockship.host.retryafter import asked_wait
from lockship.host.translate import clean, from_engine
from lockship.host.types import RegistryAuth
from lockship.lock.reference import parse_reference

if TYPE_CHECKING:
    import docker
    import requests

INACTIVE: Final = 120.0  # seconds without a sign of life: both tell of their progress
PREPARING: Final = 600.0  # seconds until an export begins: the engine first writes it all to disk
_CHUNK = 1 << 17
Check = Callable[[], None]  # called now and then by what takes long; ends it by raising


Note = Callable[[str], None]  # told what a person may want to know meanwhile
_STEP: Final = 0.1  # seconds between two checks in a pause


def go_on() -> None:
    """Never end it."""


def say_nothing(what: str) -> None:
    """Tell nobody."""


def pull(
    host: str,
    api: docker.APIClient,
    reference: str,
    auth: RegistryAuth | None,
    check: Check,
    note: Note = say_nothing,
) -> None:
    """Pull `repository@sha256:...`; raises HostError with what the registry said.

    What may be over in a moment is tried again, and `note` is told. The credentials go along with
    these requests only.
    """
    named = parse_reference(reference)
    tries = Tries(ask=lambda: asked_wait(named.domain) if named else None)
    while (said := _pull_once(api, reference, auth, check)) is not None:
        wait = tries.wait_after(said)
        if wait is None:
            raise refused_pull(host, reference, "; ".join([said, *tries.told()]))
        note(f"the registry failed ({clean(said)}); trying again in {wait:g} s")
        _pause(wait, check)


def _pause(seconds: float, check: Check) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check()
        time.sleep(_STEP)


def _pull_once(
    api: docker.APIClient, reference: str, auth: RegistryAuth | None, check: Check
) -> str | None:
    """Pull; return what went wrong, as the engine says it."""
    from docker.auth import encode_header

    # Always a header: without one the SDK would look for credentials by itself.
    header = encode_header(credentials(auth) if auth else {})
    response = api.post(
        f"{api.base_url}/v{api.api_version}/images/create",
        params={"fromImage": reference},
        headers={"X-Registry-Auth": _text(header)},
        stream=True,
        timeout=INACTIVE,
    )
    try:
        return _error(response, check)
    finally:
        response.close()


def load(host: str, api: docker.APIClient, chunks: Iterable[bytes]) -> None:
    """Load an image tar; raises HostError with what the engine said."""
    response = api.post(
        f"{api.base_url}/v{api.api_version}/images/load",
        data=_blocks(chunks),
        headers={"Content-Type": "application/x-tar"},
        stream=True,
        timeout=INACTIVE,
    )
    try:
        said = _error(response)
    finally:
        response.close()
    if said is not None:
        raise from_engine(host, "load image", said)


def export(api: docker.APIClient, image_id: str) -> Iterator[bytes]:
    """Return an image tar piece by piece."""
    from docker.errors import APIError

    response = api.get(
        f"{api.base_url}/v{api.api_version}/images/{image_id}/get", stream=True, timeout=PREPARING
    )
    try:
        if response.status_code >= 400:
            raise APIError("export", response, response.text)
        yield from response.iter_content(_CHUNK)
    finally:
        response.close()


def refused_pull(host: str, reference: str, said: str) -> HostError:
    """Return the error for a pull that failed, from what the engine passed on of the registry."""
    low = said.lower()
    if "no space left on device" in low:
        return from_engine(host, f"pull {reference}", said)
    registry = reference.partition("/")[0]
    if "x509" in low or "certificate" in low:
        hint = f"give the host the registry's CA: /etc/docker/certs.d/{registry}/ca.crt"
    elif is_limit(low):
        hint = "wait as long as the registry says, or use an account with a higher limit"
    elif "manifest unknown" in low or "not found" in low:
        hint = "the registry doesn't have it any more: lockship build"
    elif any(word in low for word in ("unauthorized", "denied", "authentication", "basic auth")):
        hint = f"log in on this machine: docker login {registry}; or mend [registry]"
    else:
        hint = (
            f"see whether the host reaches the registry: ssh {host} curl -v https://{registry}/v2/"
        )
    return HostError(host, "pull", f"pull {reference}: {clean(said)}", hint=hint)


def credentials(auth: RegistryAuth) -> dict[str, str]:
    """Return credentials as the Docker SDK takes them."""
    if auth.identity_token:
        return {"identitytoken": auth.identity_token, "serveraddress": auth.server}
    return {"username": auth.username, "password": auth.password, "serveraddress": auth.server}


def _text(header: bytes | str) -> str:
    return header.decode() if isinstance(header, bytes) else header


def _error(response: requests.Response, check: Check = go_on) -> str | None:
    """Read an answer to its end; return what went wrong, as told by its status or in its lines."""
    if response.status_code >= 400:
        text = response.text
        try:
            return str(json.loads(text)["message"])
        except (ValueError, KeyError, TypeError):
            return text.strip() or f"HTTP status {response.status_code}"
    said = None
    for line in response.iter_lines():
        check()
        message: Any = json.loads(line) if line.strip() else {}
        if isinstance(message, dict) and "error" in message:
            said = said or str(message["error"])
    return said


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Join small pieces: each piece becomes a chunk of HTTP and at least one SSH packet."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        if len(buffer) >= _CHUNK:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)
