"""Several requests on one connection, to a real server: the answers come in their order."""

from __future__ import annotations

import http.client
import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from lockship.host.burst import get_all


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.path.encode() * (1 + len(self.path) % 3000)
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("Api-Version", "1.44")
        if "chunked" in self.path:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            return
        self.send_header("Content-Length", str(len(body)))
        if "last" in self.path:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as opened:
            yield opened
        server.shutdown()


def test_answers_come_in_order_whatever_their_shape(connection: socket.socket) -> None:
    paths = ["/one", "/missing", "/chunked/" + "x" * 2000, "/" + "y" * 2900, "/chunked", "/two"]
    for _ in range(2):  # the connection can be used again
        answers = get_all(connection, paths)
        assert [each.status for each in answers] == [200, 404, 200, 200, 200, 200]
        assert all(each.version == "1.44" for each in answers)
        for path, answer in zip(paths, answers, strict=True):
            assert answer.body == path.encode() * (1 + len(path) % 3000)


def test_a_server_that_hangs_up_in_between_is_an_error(connection: socket.socket) -> None:
    with pytest.raises(http.client.HTTPException):
        get_all(connection, ["/one", "/last", "/two"])
