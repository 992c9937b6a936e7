"""HTTP to a Docker engine over whatever stream a link opens to it, for the Docker SDK.

The pattern is docker.transport.sshconn's, with connections that are taken from the link instead of
a second SSH session, and that tell what went wrong on the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import docker
import requests.adapters
import urllib3.connection
import urllib3.connectionpool

from lockship.host.burst import Answer, get_all
from lockship.host.channel import ChannelSocket, SocketLike

Dial = Callable[[float], SocketLike]
_OLDEST, _NEWEST = (1, 41), (1, 47)
"""API versions used: 1.41 is Docker 20.10; 1.44, the oldest that Docker 29 takes, lies between."""
_URL: Final = "http+docker://ssh"  # the SDK takes raw streams by this name
_BAD_REQUEST: Final = 400  # also: a version that this engine doesn't know
_POOL: Final = 3  # sshd allows 10 channels (MaxSessions): engine, sftp, mutex, tunnels


class Client(docker.APIClient):
    """An SDK client on streams that `dial` opens, with an API version that both sides know.

    `timeout` in seconds is for each wait on the stream, not for a whole call. `get_all` may be used
    at once, anything else once `agree` was called.
    """

    def __init__(self, dial: Dial, timeout: float) -> None:
        oldest = "{}.{}".format(*_OLDEST)
        super().__init__(base_url="http://engine:1", version=oldest, timeout=int(timeout))
        self.trust_env = False  # HTTP_PROXY and .netrc are for the web, not for this
        self.base_url = _URL
        self._adapter = _Adapter(dial)
        self.mount(_URL, self._adapter)
        self._agreed = False

    def agree(self) -> None:
        """Ask the engine which version it knows, unless that is known."""
        if not self._agreed:
            self._agree_on(self.get(f"{_URL}/_ping").headers.get("Api-Version", ""))

    def get_all(self, paths: Sequence[str]) -> list[Answer]:
        """GET all of these paths, without their version, in one round trip.

        Where no version is agreed on yet the oldest one is tried along with the question for it: so
        only an engine that doesn't know that one any more costs a second round trip.
        """
        if self._agreed:
            return self._at_once(paths)
        ping, *answers = self._at_once(paths, first=["/_ping"])
        self._agree_on(ping.version)
        refused = any(each.status == _BAD_REQUEST for each in answers)
        return self._at_once(paths) if refused else answers

    def _at_once(self, paths: Sequence[str], first: Sequence[str] = ()) -> list[Answer]:
        connection: Any = self._adapter.pool._get_conn()
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(self.timeout)
            answers = get_all(
                connection.sock, [*first, *(f"/v{self.api_version}{path}" for path in paths)]
            )
        except BaseException:
            connection.close()
            raise
        self._adapter.pool._put_conn(connection)
        return answers

    def _agree_on(self, newest: str) -> None:
        self._version = _version(newest)
        self._agreed = True


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
        self.pool = _Pool(dial)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
        return self.pool

    def request_url(self, request: Any, proxies: Any) -> str:  # noqa: ARG002
        return str(request.path_url)

    def close(self) -> None:
        super().close()
        self.pool.close()
