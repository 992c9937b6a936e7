"""Checking who answers: the lock's keys for a host, the user's known_hosts for jump hosts."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence

import paramiko

from lockship.host.errors import HostError


def fingerprint(key: bytes) -> str:
    """Return a public key's fingerprint as OpenSSH prints it: `SHA256:` and base64 without '='."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


class Pinned(paramiko.MissingHostKeyPolicy):
    """Let a host in only with one of the lock's keys.

    paramiko's own table of known keys can hold one key of a type for a name, which is too few while
    a key is being replaced. So the table stays empty, and every key comes before this policy.
    """

    def __init__(self, host: str, keys: Sequence[str]) -> None:
        self.host = host
        self.types = tuple(dict.fromkeys(key.split()[0] for key in keys))
        self._blobs = tuple(_blob(host, key) for key in keys)

    def missing_host_key(
        self,
        client: paramiko.SSHClient,  # noqa: ARG002 - paramiko's signature
        hostname: str,  # noqa: ARG002
        key: paramiko.PKey,
    ) -> None:
        """Raise HostError unless the key is pinned."""
        if key.asbytes() in self._blobs:
            return
        expected = " or ".join(fingerprint(blob) for blob in self._blobs)
        raise HostError(
            self.host,
            "host-key",
            f"host key changed: the lock expects {expected}, found {fingerprint(key.asbytes())}",
            hint=f"if the host was reinstalled: lockship host trust {self.host}, or update"
            f" known_hosts and lockship prepare --upgrade {self.host}; if not, someone may be in"
            " between",
        )


def unknown(host: str) -> HostError:
    """Return the error for a host of which the lock holds no key."""
    return HostError(
        host,
        "host-key",
        "host key unknown: the lock holds none for it",
        hint=f"check the key that it shows and pin it: lockship host trust {host}",
    )


def accept_types(transport: paramiko.Transport, types: Sequence[str]) -> None:
    """Ask for the pinned key types first: sshd shows only one of its keys."""
    options = transport.get_security_options()
    supported = list(options.key_types)
    wanted: list[str] = []
    for name in types:
        wanted += ["rsa-sha2-512", "rsa-sha2-256"] if name == "ssh-rsa" else [name]
    first = [name for name in wanted if name in supported]
    options.key_types = [*first, *(name for name in supported if name not in first)]


def _blob(host: str, key: str) -> bytes:
    try:
        return base64.b64decode(key.split()[1], validate=True)
    except (binascii.Error, IndexError):
        raise HostError(
            host,
            "host-key",
            f"the lock's host key isn't one: {key!r}",
            hint=f"lockship prepare --upgrade {host}",
        ) from None
