"""A web service that ends at once on SIGTERM, requests in flight or not: only a drain saves them.

GET / tells its version; POST / tells the length of what came; GET /up is for probes;
GET /long sends 2 MB over two seconds; GET /path tells which path arrived, GET /headers which
headers; GET /fail fails, and /errors/STATUS is the page for that; GET /gone hangs up, and so does
the page for that.
"""

import json
import os
import signal
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VERSION = Path("/version").read_text().strip()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path.endswith("/long"):
            self.long()
        elif self.path.endswith("/slow"):
            time.sleep(1.5)
            self.answer(b"slow")
        elif self.path.endswith("/headers"):
            self.answer(json.dumps(dict(self.headers)).encode())
        elif self.path.endswith("/fail"):
            self.answer(b"bare failure", 503)
        elif self.path in ("/gone", "/errors/502"):
            self.close_connection = True
        elif self.path.startswith("/errors/"):
            self.answer(f"the page {self.path}".encode())
        elif "/path" in self.path:
            self.answer(self.path.encode())
        else:
            self.answer(VERSION.encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(str(len(body)).encode())

    def answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("X-Frame-Options", "SAMEORIGIN")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def long(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(20 * 100_000))
        self.end_headers()
        for _ in range(20):
            self.wfile.write(bytes(100_000))
            time.sleep(0.1)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    address_family = socket.AF_INET
    request_queue_size = 128
    daemon_threads = True


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    Server(("0.0.0.0", 8000), Handler).serve_forever()  # noqa: S104 - in a container
