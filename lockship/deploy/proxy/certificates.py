"""A service's own certificate and key, from its secrets into the proxy's container.

They go through the engine's archive call into the container's own layer, never into a file of the
host: docs/decisions/0006-certificates-in-the-proxys-container.md.
"""

from __future__ import annotations

import posixpath
import re
import ssl
from collections.abc import Iterable, Mapping
from typing import Final

from lockship.deploy.proxy import edit, tls
from lockship.deploy.proxy.container import NAME
from lockship.errors import LockshipError
from lockship.host.server import Server
from lockship.lock.model import Lock
from lockship.secrets.secret import Secret

_BEGIN: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")


def require_sound(lock: Lock, secrets: Mapping[str, Secret]) -> None:
    """Raise LockshipError where what is to be certificate or key can't be one."""
    for name, kind in _wanted(lock).items():
        found = _BEGIN.findall(secrets[name].reveal())
        is_key = any(each.endswith("PRIVATE KEY") for each in found)
        if kind == "certificate" and "CERTIFICATE" not in found:
            raise _unsound(name, "has no certificate in PEM format", "-----BEGIN CERTIFICATE-----")
        if kind == "key" and not is_key:
            raise _unsound(name, "has no private key in PEM format", "-----BEGIN PRIVATE KEY-----")
        if kind == "key" and "ENCRYPTED PRIVATE KEY" in found:
            raise _unsound(name, "is a key with a passphrase", "-----BEGIN PRIVATE KEY-----")


def put(server: Server, lock: Lock, content: str, secrets: Mapping[str, Secret]) -> None:
    """Write the files that a route file names, unless it names none or there are no secrets."""
    paths = edit.certificate_files(content)
    values = [secrets[name].reveal() for name in _wanted(lock) if name in secrets]
    if paths is None or len(values) != len(paths):
        return
    files = {
        posixpath.basename(path): f"{value}\n".encode()
        for path, value in zip(paths, values, strict=True)
    }
    server.inside(NAME).put(tls.FOLDER, files)


def are_there(server: Server, content: str) -> bool:
    """Whether the proxy's container has the files that a route file names."""
    paths = edit.certificate_files(content)
    return paths is None or {posixpath.basename(path) for path in paths} <= kept(server).keys()


def kept(server: Server, contents: Iterable[str] | None = None) -> dict[str, bytes]:
    """Return the files in the proxy's container: those that route files name, or all."""
    found = server.inside(NAME).read(tls.FOLDER)
    if contents is None:
        return found
    paths = [path for text in contents for path in edit.certificate_files(text) or ()]
    return {name: found[name] for name in map(posixpath.basename, paths) if name in found}


def leaf(lock: Lock, secrets: Mapping[str, Secret]) -> bytes | None:
    """Return the service's own certificate, the first of its chain, as DER; None without one."""
    name = lock.proxy.tls.certificate if lock.proxy and lock.proxy.tls else None
    if name is None or name not in secrets:
        return None
    text = secrets[name].reveal()
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    first = begin + text.partition(begin)[2].partition(end)[0] + end
    try:
        return ssl.PEM_cert_to_DER_cert(first)
    except ValueError:
        return None


def _wanted(lock: Lock) -> dict[str, str]:
    """Return the names of the secrets, certificate first, each with what it is."""
    found = lock.proxy.tls if lock.proxy else None
    if found is None or found.certificate is None or found.key is None:
        return {}
    return {found.certificate: "certificate", found.key: "key"}


def _unsound(name: str, what: str, expected: str) -> LockshipError:
    return LockshipError(
        f"The secret {name} {what}; nothing was changed.",
        hint=f"[proxy.tls] needs one that begins with {expected}.",
    )
