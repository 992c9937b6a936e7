"""A Docker engine of a machine's own: the hosts' and the builder's."""

import functools
import http.client
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.harness.claims import cgroup_parent
from tests.harness.machine import Machine
from tests.harness.network import Port
from tests.harness.shell import SYSTEM_PATH, HarnessError, sh, until

ENGINE_PROCESSES = ("dockerd", "containerd")


@dataclass(frozen=True)
class Engine:
    """dockerd with its default paths (`/run`, `/etc/docker`), on a machine that has its own."""

    machine: Machine

    @property
    def socket(self) -> Path:
        """The engine's socket as a path on this machine."""
        return self.machine.root / "run/docker.sock"

    @property
    def url(self) -> str:
        """For DOCKER_HOST."""
        return f"unix://{self.socket}"

    @property
    def address(self) -> str:
        """Where its published ports are."""
        return self.machine.address

    @property
    def data_root(self) -> Path:
        return self.machine.root / "docker"

    @property
    def log(self) -> str:
        return (self.machine.root / "dockerd.log").read_text()

    def start(self) -> None:
        """Start dockerd, also one that was killed, and wait until it answers."""
        (self.machine.root / "run/docker.pid").unlink(missing_ok=True)
        self.machine.spawn("dockerd", log="dockerd.log")
        until(self.answers, 60, lambda: f"dockerd on {self.machine.name}: {self.log[-2000:]}")

    def stop(self) -> None:
        """Stop it as `systemctl stop docker` does; containers stop as well."""
        self.machine.end("dockerd", limit=40)

    def kill(self) -> None:
        """End dockerd without warning; the containers keep running."""
        self.machine.kill(*ENGINE_PROCESSES)

    def answers(self) -> bool:
        connection = _UnixConnection(str(self.socket))
        try:
            connection.request("GET", "/_ping")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def docker(self, *argv: str, stdin: str | None = None, timeout: float = 120) -> str:
        """Run the docker command line against this engine; give back its stdout."""
        env = {"DOCKER_HOST": self.url, "DOCKER_BUILDKIT": "1", "HOME": "/nonexistent"}
        return sh(docker_client(), *argv, stdin=stdin, env=env, timeout=timeout)

    def storage_driver(self) -> str:
        return self.docker("info", "--format", "{{.Driver}}").strip()

    def remove_everything(self, *, images: bool, keep: Collection[str] = ()) -> None:
        """Back to an empty engine: no containers, volumes or networks, and on demand no images.

        `keep`: references (`busybox:1.36`) of images to keep all the same. The build cache stays.
        """
        containers = self.docker("ps", "--all", "--quiet").split()
        if containers:
            self.docker("rm", "--force", "--volumes", *containers)
        self.docker("network", "prune", "--force")
        for volume in self.docker("volume", "ls", "--quiet").split():
            self.docker("volume", "rm", "--force", volume)
        form = "{{.ID}} {{.Repository}} {{.Tag}} {{.Digest}}"
        words = ("images", "--all", "--no-trunc", "--digests", "--format", form)
        lines = [line.split() for line in self.docker(*words).splitlines()] if images else []
        found = [
            (image, f"{name}:{tag}" if tag != "<none>" else f"{name}@{digest}")
            for image, name, tag, digest in lines
        ]
        kept = {image for image, reference in found if reference in keep}
        unwanted = [
            reference if image in kept else image
            for image, reference in found
            if reference not in keep
        ]
        if unwanted:
            self.docker("rmi", "--force", *dict.fromkeys(unwanted))


@dataclass(frozen=True)
class Trust:
    """How an engine is to see the fleet's registry."""

    address: str
    ca_file: Path | None
    """None: it's a plain one."""


def configure(root: Path, port: Port, trust: Trust, settings: Mapping[str, object]) -> None:
    """Write the engine's /etc/docker before its machine starts."""
    daemon: dict[str, object] = {
        "data-root": str(root / "docker"),
        "cgroup-parent": cgroup_parent(port.network.number, port.name),
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "shutdown-timeout": 2,
        "insecure-registries": [] if trust.ca_file else [trust.address],
        **settings,
    }
    (root / "docker").mkdir(mode=0o711, parents=True)
    etc = root / "etc/docker"
    etc.mkdir(parents=True, exist_ok=True)
    (etc / "daemon.json").write_text(json.dumps(daemon, indent=2) + "\n")
    if trust.ca_file:
        (etc / "certs.d" / trust.address).mkdir(parents=True)
        shutil.copy(trust.ca_file, etc / "certs.d" / trust.address / "ca.crt")


def start_builder(root: Path, port: Port, trust: Trust) -> Engine:
    """The deployer's own engine. Its containers answer this machine on their own addresses."""
    third = port.network.number
    networks = {
        "bip": f"198.19.{third}.1/25",
        "default-address-pools": [{"base": f"198.19.{third}.128/25", "size": 28}],
    }
    # Docker 28 and later drop packets from outside for a container's address, unless told not to.
    routing: dict[str, object] = (
        {"allow-direct-routing": True} if _knows("--allow-direct-routing") else {}
    )
    configure(root, port, trust, {**networks, **routing})
    # This person's files are this machine's: only what belongs to the engine is private.
    machine = Machine.boot(port.name, root, port, folders=("/run", "/etc/docker"))
    machine.run("iptables", "--new-chain", "DOCKER-USER")
    machine.run("iptables", "--append", "DOCKER-USER", "--in-interface", "eth0", "--jump", "ACCEPT")
    port.network.route_containers(port)
    engine = Engine(machine)
    engine.start()
    return engine


@functools.cache
def docker_client() -> str:
    """A docker command with BuildKit: one with buildx, or one before 23 that has it inside."""
    candidates = [shutil.which("docker", path=folder) for folder in SYSTEM_PATH.split(":")]
    for path in [path for path in candidates if path]:
        version = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        buildx = subprocess.run(
            [path, "buildx", "version"], capture_output=True, env={"PATH": SYSTEM_PATH}
        )
        major = re.search(r"version (\d+)", version)
        if buildx.returncode == 0 or (major and int(major[1]) < 23):
            return path
    raise HarnessError(
        "no docker command here has BuildKit: install docker-buildx or Debian's docker.io"
    )


@functools.cache
def _knows(option: str) -> bool:
    return option in sh("dockerd", "--help")


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=2)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
