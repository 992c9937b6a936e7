"""A constant load on keep-alive connections that counts everything that isn't a right answer."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

Span = tuple[float, float]
"""A begin and an end, by the monotonic clock."""
_BODY = b"x" * 5000


@dataclass
class Load:
    """What came of the requests so far. `versions` counts who answered."""

    address: str
    host: str
    timeout: float = 30.0
    requests: int = 0
    failures: list[str] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    """Of the short requests."""
    changed: float = 0.0
    """When another version than before answered for the last time."""
    _last: str = ""
    _end: threading.Event = field(default_factory=threading.Event)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def get(self, connection: http.client.HTTPConnection) -> None:
        said = self._ask(connection, "GET", "/").decode()
        with self._counting:
            self.versions[said] = self.versions.get(said, 0) + 1
            if said != self._last:
                self._last, self.changed = said, time.monotonic()

    def post(self, connection: http.client.HTTPConnection) -> None:
        assert self._ask(connection, "POST", "/", _BODY) == b"5000"

    def download(self, connection: http.client.HTTPConnection) -> None:
        assert len(self._ask(connection, "GET", "/long")) == 700_000

    def slow(self, connection: http.client.HTTPConnection) -> None:
        assert self._ask(connection, "GET", "/slow") == b"slow"

    def hang(self, connection: http.client.HTTPConnection) -> None:
        """What is under way for longer than any deploy takes to stop the old container."""
        self._ask(connection, "GET", "/hang")

    def _ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes = b""
    ) -> bytes:
        connection.request(method, path, body or None, {"Host": self.host})
        response = connection.getresponse()
        data = response.read()
        assert response.status == 200, f"{method} {path}: {response.status} {data[:80]!r}"
        return data

    def run(self, ask: Callable[[http.client.HTTPConnection], None], pause: float) -> None:
        connection = http.client.HTTPConnection(self.address, timeout=self.timeout)
        while not self._end.is_set():
            self.one(ask, connection)
            self._end.wait(pause)
        connection.close()

    def one(
        self,
        ask: Callable[[http.client.HTTPConnection], None],
        connection: http.client.HTTPConnection,
    ) -> None:
        begin = time.monotonic()
        try:
            ask(connection)
        except (OSError, http.client.HTTPException, AssertionError) as error:
            connection.close()
            with self._counting:
                self.failures.append(f"{time.time():.2f} {ask.__name__}: {error!r}")
        with self._counting:
            self.requests += 1
            if ask.__name__ in ("get", "post"):
                self.spans.append((begin, time.monotonic()))

    def __str__(self) -> str:
        return (
            f"{self.requests} requests at {self.host}, {len(self.failures)} failed, "
            f"{percentiles(self.spans)}"
        )


def percentiles(spans: Sequence[Span]) -> str:
    """How long they took."""
    ordered = sorted(end - begin for begin, end in spans)
    if not ordered:
        return "none"
    p50, p99 = (
        1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.99)
    )
    return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"


@contextmanager
def load(address: str, host: str, *, pause: float = 0.01, timeout: float = 30.0) -> Iterator[Load]:
    """Ask the proxy at an address, all the time, until the end of the block."""
    made = Load(address, host, timeout)
    asked = [made.get, made.get, made.get, made.post, made.post, made.download, made.slow]
    threads = [threading.Thread(target=made.run, args=(ask, pause)) for ask in asked]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        made._end.set()
        for thread in threads:
            thread.join()
