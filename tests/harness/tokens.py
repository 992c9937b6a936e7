"""The fleet's registry with a token server in front, as Hub, GHCR, GitLab, Harbor and ACR have one.

The registry itself sends whoever asks to the server for a token, and checks what it signed. The
protocol: distribution.github.io/distribution/spec/auth/token and /oauth; the token:
distribution.github.io/distribution/spec/auth/jwt.
"""

import base64
import json
import secrets
import shutil
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.harness import certs
from tests.harness.engine import Engine
from tests.harness.registry import Registry

_ISSUER = "fleet-tokens"
_SERVICE = "fleet-registry"
_LIFETIME = 300  # seconds


@dataclass
class TokenServer:
    """Who may do what: `accounts` are passwords, `refresh` identity tokens, by user."""

    accounts: Mapping[str, str]
    prefixes: Mapping[str, str] = field(default_factory=dict)
    """Below which path a user's repositories are; all of them where it isn't said."""
    refresh: dict[str, str] = field(default_factory=dict)
    granted: list[str] = field(default_factory=list)
    """`USER SCOPE` of each token that was given, the user '' for nobody."""
    authority: Path = Path()
    """The CA of the server's own certificate."""

    def identity_token(self, user: str) -> str:
        """What `docker login` keeps where a registry gives one, as Azure's does."""
        return self.refresh.setdefault(user, secrets.token_hex(16))

    def access(self, user: str, scopes: list[str]) -> list[dict[str, object]]:
        found: list[dict[str, object]] = []
        for scope in " ".join(scopes).split():
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            self.granted.append(f"{user} {scope}")
            if user and name.startswith(self.prefixes.get(user, "")):
                found.append({"type": kind, "name": name, "actions": actions.split(",")})
        return found


@contextmanager
def token_auth(
    folder: Path, address: str, registry: Registry, server: TokenServer, *engines: Engine
) -> Iterator[TokenServer]:
    """Let the registry ask for tokens meanwhile; `engines` trust the server's certificate."""
    folder.mkdir()
    server.authority = certs.issue(folder / "certs", address)
    http = ThreadingHTTPServer((address, 0), _handler(server, folder / "certs"))
    http.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certs/server.crt", folder / "certs/server.key")
    http.socket = context.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    trusts = [
        engine.machine.root / "etc/docker/certs.d" / registry.address / "tokens.crt"
        for engine in engines
    ]
    for trust in trusts:
        shutil.copy(server.authority, trust)
    thread = threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    bundle = registry.machine.root / "tokens.crt"  # its /tmp is another one
    shutil.copy(server.authority, bundle)
    token = {
        "realm": f"https://{address}:{http.server_port}/token",
        "service": _SERVICE,
        "issuer": _ISSUER,
        "rootcertbundle": str(bundle),
    }
    registry.stop()
    registry.start(auth={"token": token})
    try:
        yield server
    finally:
        registry.stop()
        registry.start()
        http.shutdown()
        http.server_close()
        thread.join()
        for trust in trusts:
            trust.unlink()


def _handler(server: TokenServer, folder: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            said = self.headers.get("Authorization", "")
            user = ""
            if said:
                user, _, password = base64.b64decode(said.split(" ")[-1]).decode().partition(":")
                if server.accounts.get(user) != password:
                    self._answer(401, {"errors": [{"code": "UNAUTHORIZED"}]})
                    return
            self._give(user, asked)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            asked = parse_qs(self.rfile.read(length).decode())
            (kind,) = asked.get("grant_type", [""])
            (user,), (password,) = (asked.get(key, [""]) for key in ("username", "password"))
            if kind == "refresh_token":
                tokens = {token: name for name, token in server.refresh.items()}
                user = tokens.get(asked.get("refresh_token", [""])[0], "")
            elif server.accounts.get(user) != password:
                user = ""
            if not user:
                self._answer(401, {"errors": [{"code": "UNAUTHORIZED"}]})
                return
            self._give(user, asked)

        def _give(self, user: str, asked: Mapping[str, list[str]]) -> None:
            if asked.get("service") != [_SERVICE]:
                self._answer(400, {"errors": [{"code": "UNKNOWN_SERVICE"}]})
                return
            token = _token(folder, user, server.access(user, asked.get("scope", [])))
            told = {"token": token, "access_token": token, "expires_in": _LIFETIME}
            if self.command == "POST":
                told["refresh_token"] = server.identity_token(user)
            self._answer(200, told)

        def _answer(self, status: int, body: Mapping[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response_only(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


def _token(folder: Path, user: str, access: list[dict[str, object]]) -> str:
    """Sign what a user may, by the key whose certificate the registry's bundle vouches for."""
    certificate = x509.load_pem_x509_certificate((folder / "server.crt").read_bytes())
    key = serialization.load_pem_private_key((folder / "server.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    der = certificate.public_bytes(serialization.Encoding.DER)
    head = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
    now = int(time.time())
    claims = {
        "iss": _ISSUER, "sub": user, "aud": _SERVICE, "jti": secrets.token_hex(8),
        "iat": now, "nbf": now - 60, "exp": now + _LIFETIME, "access": access,
    }  # fmt: skip
    signed = ".".join(_base64(json.dumps(part).encode()) for part in (head, claims))
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_base64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
