"""A real registry (Debian's docker-registry) on a machine of its own."""

import http.client
import json
import shutil
import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import bcrypt

from tests.harness.engine import Trust
from tests.harness.machine import Machine
from tests.harness.network import Port
from tests.harness.shell import HarnessError, until

PORT = 5000


@dataclass(frozen=True)
class Registry:
    machine: Machine
    ca_file: Path | None
    """With a CA it speaks TLS and wants a password; without, it's plain HTTP and open to all."""
    user: str = "shipper"
    password: str = "pass word/+=$1"

    @property
    def address(self) -> str:
        """`ADDRESS:PORT`, what image names begin with."""
        return f"{self.machine.address}:{PORT}"

    @property
    def tls(self) -> bool:
        return self.ca_file is not None

    @property
    def log(self) -> str:
        return (self.machine.root / "registry.log").read_text()

    def start(
        self, *, read_only: bool = False, auth: Mapping[str, object] | None = None, **more: object
    ) -> None:
        """Start it (again); in the read-only mode it answers pulls and refuses pushes.

        `auth` instead of the password, `more` are further tables of its configuration.
        """
        self._write_config(read_only, auth, more)
        self.machine.spawn(
            "docker-registry", "serve", str(self.machine.root / "config.yml"), log="registry.log"
        )
        until(self._listens, 20, lambda: f"the registry: {self.log[-2000:]}")

    def stop(self) -> None:
        """Connections are refused."""
        self.machine.kill("docker-registry")

    def read_only(self) -> None:
        self.stop()
        self.start(read_only=True)

    def freeze(self) -> None:
        self.machine.freeze()

    def thaw(self) -> None:
        self.machine.thaw()

    def reset(self) -> None:
        """All faults undone, and nothing stored."""
        self.thaw()
        self.stop()
        shutil.rmtree(self.machine.root / "data", ignore_errors=True)
        self.start()

    def docker_config(self) -> dict[str, object]:
        """A ~/.docker/config.json that lets its reader in."""
        return {"auths": {self.address: {"auth": self._token}} if self.tls else {}}

    def manifest(self, repository: str, reference: str) -> tuple[str, dict[str, object]]:
        """Digest and manifest of a tag or digest, as the registry itself gives them."""
        headers, body = self._ask("GET", f"/v2/{repository}/manifests/{reference}")
        return headers["Docker-Content-Digest"], json.loads(body)

    def _ask(
        self, method: str, path: str, body: str | None = None, kind: str = ""
    ) -> tuple[dict[str, str], bytes]:
        headers = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
        headers |= {"Content-Type": kind} if kind else {}
        connection = http.client.HTTPConnection(self.machine.address, PORT, timeout=10)
        if self.tls:
            headers["Authorization"] = f"Basic {self._token}"
            context = ssl.create_default_context(cafile=self.ca_file)
            connection = http.client.HTTPSConnection(
                self.machine.address, PORT, timeout=10, context=context
            )
        with closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            if answer.status not in (200, 201):
                raise HarnessError(f"{path}: {answer.status} {answer.reason}")
            return dict(answer.headers), answer.read()

    @property
    def _token(self) -> str:
        return b64encode(f"{self.user}:{self.password}".encode()).decode()

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.machine.address, PORT), timeout=1).close()
        except OSError:
            return False
        return True

    def _write_config(
        self, read_only: bool, auth: Mapping[str, object] | None, more: Mapping[str, object]
    ) -> None:
        root = self.machine.root
        server: dict[str, object] = {"addr": self.address, "secret": "the fleet's"}
        config: dict[str, object] = {
            "version": "0.1",
            "log": {"level": "info"},
            "storage": {
                "filesystem": {"rootdirectory": str(root / "data")},
                "delete": {"enabled": True},
                "maintenance": {"readonly": {"enabled": read_only}},
            },
            "http": server,
        }
        if self.ca_file:
            folder = self.ca_file.parent
            server["tls"] = {
                "certificate": str(folder / "server.crt"),
                "key": str(folder / "server.key"),
            }
            password = {"htpasswd": {"realm": "fleet", "path": str(root / "htpasswd")}}
            config["auth"] = password if auth is None else auth
        config |= more
        (root / "config.yml").write_text(json.dumps(config, indent=2))  # JSON is YAML


def start_registry(root: Path, port: Port, trust: Trust) -> Registry:
    root.mkdir(parents=True)
    registry = Registry(
        Machine.boot(port.name, root, port, folders=("/run", "/tmp")), trust.ca_file
    )
    hashed = bcrypt.hashpw(registry.password.encode(), bcrypt.gensalt(rounds=4)).decode()
    (root / "htpasswd").write_text(f"{registry.user}:{hashed}\n")
    registry.start()
    return registry
