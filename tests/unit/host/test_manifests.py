"""An index is read from its registry by its digest; what else comes is refused."""

from __future__ import annotations

import hashlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lockship.errors import LockshipError
from lockship.host import again
from lockship.host.manifests import read_index, write_index
from lockship.host.types import RegistryAuth
from lockship.lock.reference import Reference
from tests.harness.certs import issue

AMD, ARM = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def entry(digest: str, **platform: str) -> dict[str, Any]:
    return {"digest": digest, "size": 1, "platform": platform}


KIND = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = json.dumps(
    {
        "schemaVersion": 2,
        "manifests": [
            entry(AMD, os="linux", architecture="amd64"),
            entry(ARM, os="linux", architecture="arm", variant="v7"),
            entry("sha256:" + "c" * 64, os="unknown", architecture="unknown"),
        ],
    }
).encode()
DIGEST = "sha256:" + hashlib.sha256(INDEX).hexdigest()


@dataclass
class Server:
    """A registry that wants a token, over TLS."""

    address: str
    body: bytes = INDEX
    bodies: dict[str, bytes] = field(default_factory=dict)
    realm: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    pauses: list[str] = field(default_factory=list)
    """What `Retry-After` says to the next requests for manifests."""

    def read(self, auth: RegistryAuth | None = None, digest: str = DIGEST) -> dict[str, str]:
        return read_index(Reference(self.address, "acme/base", "1", None), digest, auth)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            proof = self.headers.get("Authorization", "")
            told.asked.append((self.path.partition("?")[0], proof))
            if self.path.startswith("/token"):
                self.answer(200, json.dumps({"token": "letmein"}).encode())
            elif proof == "Bearer letmein" and told.pauses:
                self.answer(429, b"", **{"Retry-After": told.pauses.pop(0)})
            elif proof == "Bearer letmein":
                self.answer(200, told.bodies.get(self.path.rpartition("/")[2], told.body))
            else:
                self.answer(401, b"")

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            proven = self.headers.get("Authorization") == "Bearer letmein"
            if proven:
                told.bodies[self.path.rpartition("/")[2]] = body
            self.answer(201 if proven else 401, b"")

        def answer(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", f"{KIND}; charset=utf-8")
            scope = "repository:acme/base:pull"
            said = f'Bearer realm="{told.realm}",service="here",scope="{scope}"'
            self.send_header("WWW-Authenticate", said)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    authority = issue(tmp_path / "certs", "127.0.0.1")
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.parent / "server.crt", authority.parent / "server.key")
    http.socket = context.wrap_socket(http.socket, server_side=True)
    address = f"127.0.0.1:{http.server_address[1]}"
    told = Server(address, realm=f"https://{address}/token")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield told
    http.shutdown()
    http.server_close()
    thread.join()


def test_each_platform_has_its_image_and_an_attestation_is_none(server: Server) -> None:
    assert server.read() == {"linux/amd64": AMD, "linux/arm/v7": ARM}


def test_a_busy_registry_is_asked_again_when_it_says(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again, "WAITS", (0.01, 0.01, 0.01))
    server.pauses = ["1", "0"]
    begin = time.monotonic()
    assert server.read()["linux/amd64"] == AMD
    assert time.monotonic() - begin >= 1
    assert server.pauses == []
    server.pauses = ["300"]
    with pytest.raises(LockshipError, match="429"):
        server.read()


def test_an_account_goes_to_the_place_for_tokens_and_nowhere_else(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.read(RegistryAuth(server=server.address, username="me", password="pass word"))
    path = f"/v2/acme/base/manifests/{DIGEST}"
    assert server.asked == [
        (path, ""),
        ("/token", "Basic bWU6cGFzcyB3b3Jk"),
        (path, "Bearer letmein"),
    ]


def test_something_else_than_what_was_asked_for(server: Server) -> None:
    server.body = INDEX.replace(b"aaaa", b"dddd")
    with pytest.raises(LockshipError, match="it answers with something else"):
        server.read()


def test_no_account_goes_where_it_could_be_read_on_the_way(server: Server) -> None:
    server.realm = server.realm.replace("https://", "http://")
    with pytest.raises(LockshipError, match="can't be asked from here: it sends for a token"):
        server.read(RegistryAuth(server=server.address, username="me", password="secret"))
    assert [path for path, _ in server.asked] == [f"/v2/acme/base/manifests/{DIGEST}"]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"manifests": [1]}', b"\xff\xfe"])
def test_what_is_no_index_names_no_image(server: Server, body: bytes) -> None:
    server.body = body
    assert server.read(digest="sha256:" + hashlib.sha256(body).hexdigest()) == {}


def test_a_registry_that_is_not_trusted_or_not_there(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(LockshipError, match="can't be asked from here"):
        server.read()
    with pytest.raises(LockshipError, match="can't be asked from here"):
        read_index(Reference("127.0.0.1:1", "acme/base", "1", None), DIGEST, None)


def test_an_index_that_was_written_is_read_back(server: Server) -> None:
    images = {}
    for platform in ("linux/amd64", "linux/arm/v7"):
        body = f"the manifest for {platform}".encode()
        images[platform] = "sha256:" + hashlib.sha256(body).hexdigest()
        server.bodies[images[platform]] = body
    reference = Reference(server.address, "acme/base", "1", None)
    digest = write_index(reference, "1", images, None)
    server.bodies[digest] = server.bodies["1"]
    assert server.read(digest=digest) == images
    written = json.loads(server.bodies["1"])
    assert written["mediaType"] == "application/vnd.docker.distribution.manifest.list.v2+json"
    assert written["manifests"][1] == {
        "mediaType": KIND,
        "digest": images["linux/arm/v7"],
        "size": len("the manifest for linux/arm/v7"),
        "platform": {"os": "linux", "architecture": "arm", "variant": "v7"},
    }
    # One that isn't there isn't listed.
    del server.bodies[images["linux/amd64"]]
    with pytest.raises(LockshipError, match="answers with something else"):
        write_index(reference, "2", images, None)
    assert "2" not in server.bodies
