"""A TLS proxy in front of the fleet's registry that fails on demand, a given number of times.

It runs in this process, at this machine's address on the fleet's network; engines are told to trust
it. What an engine does through it, it does at the real registry.
"""

import http.client
import shutil
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from tests.harness import certs
from tests.harness.engine import Engine
from tests.harness.registry import PORT, Registry

_SCRATCH = 1 << 16
# The distribution specification's, "Error codes".
_CODES = {401: "UNAUTHORIZED", 403: "DENIED", 404: "MANIFEST_UNKNOWN", 429: "TOOMANYREQUESTS"}
_HOP = {"connection", "transfer-encoding", "keep-alive", "proxy-connection"}


@dataclass
class Fault:
    """What happens to the next `times` requests whose method and path fit.

    `status`: this answer instead of the registry's; 0: the connection is cut in the middle of the
    body, of the request's where it has one, else of the answer's.
    """

    method: str
    path: str
    """Part of the path, such as `/manifests/`."""
    status: int
    times: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Limit:
    """From the next request that fits on, everybody is told to come again in `seconds`."""

    method: str
    path: str
    seconds: int
    until: float = 0.0

    def left(self, method: str, path: str) -> int:
        """For how many seconds a request isn't answered; whoever doesn't wait waits anew."""
        now = time.monotonic()
        begins = not self.until and method == self.method and self.path in path
        if begins or now < self.until:
            self.until = now + self.seconds
            return self.seconds
        return 0


@dataclass(frozen=True)
class FaultyRegistry:
    """`address` is what image names begin with, as a registry's own."""

    address: str
    registry: Registry
    faults: list[Fault]
    hit: list[str]
    """The requests that met a fault, as `METHOD path`."""
    limits: list[Limit] = field(default_factory=list)

    def limit(self, method: str, path: str, seconds: int) -> None:
        self.limits.append(Limit(method, path, seconds))

    def fail(self, method: str, path: str, status: int, times: int = 1, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append(Fault(method, path, status, times, named))

    def docker_config(self) -> dict[str, object]:
        """A ~/.docker/config.json that lets its reader in."""
        (auth,) = self.registry.docker_config()["auths"].values()  # type: ignore[attr-defined]
        return {"auths": {self.address: auth}}


@contextmanager
def faulty(
    folder: Path, address: str, registry: Registry, *engines: Engine
) -> Iterator[FaultyRegistry]:
    """Run the proxy at an address of this machine; `engines` trust its certificate meanwhile."""
    folder.mkdir()
    authority = certs.issue(folder / "certs", address)
    server = _Server((address, 0), _handler(registry))
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certs/server.crt", folder / "certs/server.key")
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    proxy = FaultyRegistry(f"{address}:{server.server_port}", registry, [], [])
    server.proxy = proxy  # type: ignore[attr-defined]
    trusts = [engine.machine.root / "etc/docker/certs.d" / proxy.address for engine in engines]
    for trust in trusts:
        trust.mkdir(parents=True)
        shutil.copy(authority, trust / "ca.crt")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        for trust in trusts:
            shutil.rmtree(trust)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: connections that end early are what it is for."""


def _handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    assert registry.ca_file is not None
    trusted = ssl.create_default_context(cafile=str(registry.ca_file))

    class Handler(BaseHTTPRequestHandler):
        protocol_version: ClassVar[str] = "HTTP/1.1"  # type: ignore[misc]
        timeout = 30

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            fault = self._fault()
            if fault is not None and not fault.status and length:
                self.rfile.read(length // 2)
                self._cut()
                return
            body = self._chunks() if self._chunked() else self.rfile.read(length)
            if fault is not None and fault.status:
                code = _CODES.get(fault.status, "UNKNOWN")
                said = b'{"errors":[{"code":"%s","message":"injected"}]}' % code.encode()
                self._answer(fault.status, {**fault.headers, "Content-Length": str(len(said))})
                self.wfile.write(said if self.command != "HEAD" else b"")
                return
            if fault is not None and body:
                self._cut()  # a body in pieces: it was read, and nothing is answered
                return
            self._pass_on(body, cut=fault is not None)

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

        def _fault(self) -> Fault | None:
            proxy: FaultyRegistry = self.server.proxy  # type: ignore[attr-defined]
            for limit in proxy.limits:
                if left := limit.left(self.command, self.path):
                    proxy.hit.append(f"{self.command} {self.path.partition('?')[0]}")
                    return Fault(self.command, self.path, 429, 0, {"Retry-After": str(left)})
            for fault in proxy.faults:
                fits = fault.method == self.command and fault.path in self.path
                if fits and fault.times and self.headers.get("Authorization"):
                    fault.times -= 1
                    proxy.hit.append(f"{self.command} {self.path.partition('?')[0]}")
                    return fault
            return None

        def _pass_on(self, body: bytes, *, cut: bool) -> None:
            left_out = {*_HOP, "content-length", "accept-encoding", "host"}
            headers = [(k, v) for k, v in self.headers.items() if k.lower() not in left_out]
            headers += [("X-Forwarded-Proto", "https"), ("Content-Length", str(len(body)))]
            with closing(
                http.client.HTTPSConnection(
                    registry.machine.address, PORT, timeout=20, context=trusted
                )
            ) as upstream:
                upstream.putrequest(
                    self.command, self.path, skip_host=True, skip_accept_encoding=True
                )
                upstream.putheader("Host", self.headers["Host"])
                for name, value in headers:  # not a dict: there are several Accept
                    upstream.putheader(name, value)
                upstream.endheaders(body)
                answer = upstream.getresponse()
                sent = {k: v for k, v in answer.getheaders() if k.lower() not in _HOP}
                data = answer.read()
                if self.command != "HEAD":
                    sent["Content-Length"] = str(len(data))
                self._answer(answer.status, sent)
                self.wfile.write(data[: len(data) // 2] if cut else data)
                if cut:
                    self._cut()

        def _answer(self, status: int, headers: Mapping[str, str]) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def _chunked(self) -> bool:
            return self.headers.get("Transfer-Encoding", "").lower() == "chunked"

        def _chunks(self) -> bytes:
            found = bytearray()
            while size := int(self.rfile.readline(_SCRATCH).split(b";")[0], 16):
                found += self.rfile.read(size)
                self.rfile.readline(_SCRATCH)
            self.rfile.readline(_SCRATCH)
            return bytes(found)

        def _cut(self) -> None:
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(2)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
