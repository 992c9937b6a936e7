"""Where this machine's engine is, and a stream to it."""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lockship.errors import UsageError
from lockship.host.channel import SocketLike
from lockship.host.diagnose import no_socket

_DEFAULT: Final = "unix:///var/run/docker.sock"


def find() -> str:
    """Return where the docker command would find its engine: DOCKER_HOST, or the current context.

    A URL: `unix:///path` or `tcp://host:port`. Raises UsageError for any other kind.
    """
    address = os.environ.get("DOCKER_HOST") or _of_context()
    if urlsplit(address).scheme not in ("unix", "tcp"):
        raise UsageError(
            f"the host 'local' must be an engine on this machine, but Docker points to {address}",
            hint="name that server as a host in lockship.toml, and unset DOCKER_HOST",
        )
    return address


def dial(host: str, address: str, timeout: float) -> SocketLike:
    """Open a stream to the engine at `address`; raises HostError when nobody answers there."""
    url = urlsplit(address)
    sock: socket.socket | None = None
    try:
        if url.scheme == "unix":
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(timeout)
            sock.connect(url.path)
            return sock
        sock = socket.create_connection((url.hostname or "localhost", url.port or 2375), timeout)
        return _tls(sock, url.hostname) if _wants_tls() else sock
    except TimeoutError:
        if sock is not None:
            sock.close()
        raise
    except OSError as error:
        if sock is not None:
            sock.close()
        raise no_socket(host, address, error) from error


def _of_context() -> str:
    name = os.environ.get("DOCKER_CONTEXT")
    if not name:
        # Most people have no context of their own: that is seen without loading the SDK.
        folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
        config = folder / "config.json"
        if not config.is_file() or b'"currentContext"' not in config.read_bytes():
            return _DEFAULT
    from docker.context import ContextAPI

    context = ContextAPI.get_context(name) if name else ContextAPI.get_current_context()
    address = str((context.Host if context else None) or _DEFAULT)
    return address.replace("http+unix://", "unix://")


def _wants_tls() -> bool:
    return bool(os.environ.get("DOCKER_TLS_VERIFY") or os.environ.get("DOCKER_CERT_PATH"))


def _tls(sock: socket.socket, name: str | None) -> ssl.SSLSocket:
    """As the docker command: certificates in DOCKER_CERT_PATH, checked with DOCKER_TLS_VERIFY."""
    folder = Path(os.environ.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    if not os.environ.get("DOCKER_TLS_VERIFY"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context.wrap_socket(sock, server_hostname=name)
