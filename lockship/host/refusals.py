"""What a registry's answer means, as the engine passes it on in words."""

from __future__ import annotations

import re
from typing import Final

from lockship.errors import LockshipError
from lockship.host.again import is_limit
from lockship.lock.reference import HUB, parse_reference

_ABSENT: Final = re.compile(r"manifest unknown|manifest for .* not found|name unknown|not found")
_DENIED: Final = re.compile(
    r"unauthorized|authentication required|no basic auth credentials|denied|forbidden"
    r"|\b(?:401|403)\b"
)
_UNTRUSTED: Final = re.compile(r"x509|certificate")
_PLAIN: Final = re.compile(r"server gave http response to https client")
_UNREACHABLE: Final = re.compile(
    r"connection refused|no such host|i/o timeout|timeout|no route to host|network is unreachable"
    r"|\beof\b|connection reset|client.timeout"
)


class RegistryError(LockshipError):
    """A registry refused, failed or can't be reached."""


def registry_error(reference: str, said: str, status: int | None) -> RegistryError | None:
    """Return the error for a registry's refusal; None where it only says that it has no such image.

    `said` is the engine's text, `status` its HTTP status (None inside a stream).
    """
    named = parse_reference(reference)
    host = named.domain if named else reference.partition("/")[0]
    login = "" if host == HUB else f" {host}"  # `docker login docker.io` would be another one
    low = said.lower()
    details = [said.strip()] if said.strip() else []
    if _UNTRUSTED.search(low):
        return RegistryError(
            f"The engine doesn't trust the certificate of the registry {host}.",
            details=details,
            hint=f"Put its CA into /etc/docker/certs.d/{host}/ca.crt on the engine's machine.",
        )
    if _PLAIN.search(low):
        return RegistryError(
            f"The registry {host} speaks plain HTTP, and the engine wants TLS.",
            details=details,
            hint=f'Add {host} to "insecure-registries" in /etc/docker/daemon.json, or use TLS.',
        )
    if is_limit(said):
        return RegistryError(
            f"The registry {host} is asked too often, by this account or from this address.",
            details=details,
            hint="Wait as long as it says, or use an account with a higher limit.",
        )
    if _UNREACHABLE.search(low):
        return RegistryError(
            f"The registry {host} can't be reached.",
            details=details,
            hint="Check the image's name and the network, then run the same command again.",
        )
    if _DENIED.search(low) or status in (401, 403):
        return RegistryError(
            f"The registry {host} refuses {reference}.",
            details=details,
            hint=f"Use an account that may do this there: `docker login{login}`, or [registry].",
        )
    if _ABSENT.search(low) or status == 404:
        return None
    return RegistryError(
        f"The registry {host} failed.",
        details=details,
        hint="Look at the registry, then run the same command again.",
    )
