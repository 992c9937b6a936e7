"""HTTP to a Docker engine over whatever stream a link opens to it, for the Docker SDK.

The pattern is docker.transport.sshconn's, with connections that are taken from the link instead of
a second SSH session, and that tell what went wrong on the other side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import docker
import requests.adapters
import urllib3.connection
import urllib3.connectionpool

from lockship.host.channel import ChannelSocket, SocketLike

Dial = Callable[[float], SocketLike]
_OLDEST, _NEWEST = (1, 41), (1, 47)
"""API versions used: 1.41 is Docker 20.10; 1.44, the oldest that Docker 29 takes, lies between."""
_URL: Final = "http+docker://ssh"  # the SDK takes raw streams by this name
_POOL: Final = 3  # sshd allows 10 channels (MaxSessions): engine, sftp, mutex, tunnels


def client(dial: Dial, timeout: float) -> docker.APIClient:
    """Return an SDK client on streams that `dial` opens, with an API version that both sides know.

    `timeout` in seconds is for each wait on the stream, not for a whole call.
    """
    api = docker.APIClient(base_url="http://engine:1", version="1.41", timeout=int(timeout))
    api.trust_env = False  # HTTP_PROXY and .netrc are for the web, not for this
    api.base_url = _URL
    api.mount(_URL, _Adapter(dial))
    found = api.get(f"{_URL}/_ping", timeout=timeout)
    api._version = _version(found.headers.get("Api-Version", ""))  # type: ignore[attr-defined]
    return api


def _version(newest: str) -> str:
    """Return the newest version of ours that the engine knows, by its `Api-Version` header."""
    try:
        major, minor = (int(part) for part in newest.split("."))
    except ValueError:
        return "{}.{}".format(*_OLDEST)
    return "{}.{}".format(*min((major, minor), _NEWEST))


class _Connection(urllib3.connection.HTTPConnection):
    def __init__(self, dial: Dial, timeout: float) -> None:
        super().__init__("engine", timeout=timeout)
        self._dial = dial

    def connect(self) -> None:
        timeout = self.timeout if isinstance(self.timeout, int | float) else 60.0
        self.sock: Any = self._dial(timeout)

    @property
    def is_connected(self) -> bool:
        # urllib3 would ask the channel for a file descriptor, which makes a pipe for each.
        if isinstance(self.sock, ChannelSocket):
            return not self.sock.ended
        return super().is_connected


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    def __init__(self, dial: Dial) -> None:
        super().__init__("engine", maxsize=_POOL)
        self._dial = dial

    def _new_conn(self) -> Any:
        return _Connection(self._dial, 60.0)


class _Adapter(requests.adapters.HTTPAdapter):
    def __init__(self, dial: Dial) -> None:
        super().__init__()
        self._pool = _Pool(dial)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
        return self._pool

    def request_url(self, request: Any, proxies: Any) -> str:  # noqa: ARG002
        return str(request.path_url)

    def close(self) -> None:
        super().close()
        self._pool.close()
