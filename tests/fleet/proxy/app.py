"""A web service that ends at once on SIGTERM, requests in flight or not: only a drain saves them.

It says goodbye to its WebSockets first, which no drain can wait for.

GET / tells its version; POST / tells the length of what came; GET /up is for probes.
GET /long sends 700 kB over 0.7 s, GET /slow answers after a while, GET /hang never.
GET /posts tells how many POSTs came here.
GET /path tells which path arrived, GET /headers which headers; GET /socket is a WebSocket that
echoes. GET /fail fails, and /errors/STATUS is the page for that; GET /gone hangs up, and so does
the page for that.
"""

import base64
import hashlib
import json
import os
import signal
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VERSION = Path("/version").read_text().strip()
GOING_AWAY = b"\x88\x02\x03\xe9"  # RFC 6455: a close frame, status 1001
SOCKETS: set[socket.socket] = set()
POSTS: list[str] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path.endswith("/long"):
            self.long()
        elif self.path.endswith("/slow"):
            time.sleep(0.5)
            self.answer(b"slow")
        elif self.path.endswith("/hang"):
            time.sleep(20)
        elif self.path.endswith("/socket"):
            self.echo()
        elif self.path.endswith("/posts"):
            self.answer(str(len(POSTS)).encode())
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
        POSTS.append(self.path)
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
        self.send_header("Content-Length", str(7 * 100_000))
        self.end_headers()
        for _ in range(7):
            self.wfile.write(bytes(100_000))
            time.sleep(0.1)

    def echo(self) -> None:
        """Speak WebSocket (RFC 6455): short text frames, until the other side closes."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()  # noqa: S324
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        self.close_connection = True
        SOCKETS.add(self.connection)
        while (head := self.rfile.read(6)) and head[0] == 0x81:
            text = self.rfile.read(head[1] & 0x7F)
            text = bytes(byte ^ head[2 + n % 4] for n, byte in enumerate(text))
            self.wfile.write(bytes([0x81, len(text)]) + text)
        SOCKETS.discard(self.connection)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    address_family = socket.AF_INET
    request_queue_size = 128
    daemon_threads = True


def end(*_: object) -> None:
    for each in SOCKETS:
        each.send(GOING_AWAY)
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    Server(("0.0.0.0", 8000), Handler).serve_forever()  # noqa: S104 - in a container
