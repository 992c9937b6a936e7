"""What the real proxy does to requests and answers, as `[proxy]` and `[proxy.server]` say."""

from __future__ import annotations

import http.client
import json
import socket
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fleet.proxy.conftest import config, release, service
from tests.harness import Fleet
from tests.harness.hosts import TestHost

ON_THE_WAY = """\
path-prefixes = ["/app"]
strip-prefix = true
max-body = "64k"
response-timeout = 3
sticky = "seat"
security-headers = true
error-pages = "/errors/{status}"
"""
SERVER = """\
[proxy.server]
http-port = 8090
bind = "%s"
trusted = ["%s"]
metrics = "127.0.0.1:9100"
request-timeout = 4
"""


FORGED = (
    "X-Forwarded-For",
    "X_Forwarded_For",
    "X.Forwarded.For",
    "X-Forwarded_Proto",
    "X_Real-Ip",
    "X_Forwarded_Ssl",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Proto",
    "X-Forwarded-Scheme",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Real-Ip",
    "Forwarded",
)
"""What servers and frameworks believe of who asked, and how."""


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: http.client.HTTPMessage


def ask(
    address: str,
    path: str,
    *,
    port: int = 8090,
    body: bytes | None = None,
    **headers: str,
) -> Answer:
    """Ask a host's proxy."""
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST" if body else "GET", path, body, named)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(), answer.headers)
    finally:
        connection.close()


def this_machine(address: str) -> str:
    """This machine's own address on the network of a test host."""
    with socket.create_connection((address, 22), timeout=10) as made:
        return str(made.getsockname()[0])


def curl(host: TestHost, *argv: str) -> str:
    """What the host itself is answered."""
    return host.run("curl", "--silent", "--show-error", "--max-time", "10", *argv).stdout


def test_what_the_proxy_does_on_the_way(proxied: Fleet, tmp_path: Path) -> None:
    host = proxied["web1"]
    address = host.address
    us = this_machine(address)
    shop = service(
        proxied,
        tmp_path / "shop",
        config(hosts=("web1",), proxy=ON_THE_WAY, more=SERVER % (address, f"{us}/32")),
    )
    release(shop, "one")

    answer = ask(address, "/app/")
    assert (answer.status, answer.body) == (200, b"one")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY", "instead of the container's own"
    assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert answer.headers["Strict-Transport-Security"] is None, "without TLS there is none"
    assert answer.headers["Set-Cookie"].startswith("seat=")

    assert ask(address, "/app/", body=b"x" * 65536).body == b"65536"
    assert ask(address, "/app/", body=b"x" * 65537).status == 413

    # A slow client: the container hears of its request when all of it is there.
    before = ask(address, "/app/posts").body
    slow = http.client.HTTPConnection(address, 8090, timeout=10)
    slow.putrequest("POST", "/app/")
    slow.putheader("Content-Length", "20")
    slow.endheaders(b"the first ")
    assert ask(address, "/app/posts").body == before
    slow.send(b"the second")
    assert slow.getresponse().read() == b"20"
    assert int(ask(address, "/app/posts").body) == int(before) + 1
    slow.close()
    # One that comes too slowly is no longer waited for.
    begin = time.monotonic()
    late = http.client.HTTPConnection(address, 8090, timeout=20)
    late.putrequest("POST", "/app/")
    late.putheader("Content-Length", "20")
    late.endheaders(b"the first ")
    assert late.getresponse().status == 499
    assert 3 < time.monotonic() - begin < 15
    late.close()

    failed = ask(address, "/app/fail")
    assert (failed.status, failed.body) == (503, b"the page /errors/503")
    assert failed.headers["X-Frame-Options"] == "DENY"

    assert ask(address, "/app/hang").status == 504

    told = json.loads(ask(address, "/app/headers", X_Forwarded_For="192.0.2.7").body)
    assert told["X-Forwarded-For"].startswith("192.0.2.7, "), "we are trusted"
    forged = [word for name in FORGED for word in ("-H", f"{name}: 192.0.2.7")]
    said = curl(host, *forged, f"http://{address}:8090/app/headers")
    assert json.loads(said)["X-Forwarded-For"]
    assert "192.0.2.7" not in said, "the host itself isn't trusted"

    assert "traefik_config_reloads_total" in curl(host, "http://127.0.0.1:9100/metrics")
    for port in (9100, 8080, 8082):
        with pytest.raises(OSError, match="refused"):
            ask(address, "/metrics", port=port)
    with pytest.raises(OSError, match="refused"):
        ask(address, "/app/", port=80)

    (proxy,) = json.loads(host.docker("inspect", "lockship-proxy"))
    ports = proxy["NetworkSettings"]["Ports"]
    assert ports["80/tcp"] == [{"HostIp": address, "HostPort": "8090"}]
    assert ports["8082/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": "9100"}]

    gone = ask(address, "/app/gone")
    assert (gone.status, gone.body) == (502, b"Bad Gateway"), "nobody answers for the page either"
