"""A server to deploy to: an sshd and a Docker engine, and every way in which they can fail."""

import os
import shutil
import signal
import socket
import stat
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from tests.harness import logins
from tests.harness.engine import ENGINE_PROCESSES, Engine, Trust, configure
from tests.harness.machine import Completed, Machine
from tests.harness.network import Port
from tests.harness.shell import SYSTEM_PATH, until

_SSHD = ("sshd", "sshd-session", "sshd-auth")


@dataclass(frozen=True)
class TestHost:
    __test__: ClassVar[bool] = False  # not a test, whatever its name begins with

    machine: Machine
    engine: Engine = field(repr=False)
    has_docker: bool
    user: str = "root"
    port: int = 22

    @property
    def name(self) -> str:
        """Its hostname, and its alias in the fleet's ssh config."""
        return self.machine.name

    @property
    def address(self) -> str:
        return self.machine.address

    @property
    def root(self) -> Path:
        """Where its own /root, /run, /tmp are, seen from outside: `host.root / "srv/data"`."""
        return self.machine.root

    @property
    def home(self) -> Path:
        """The login user's home, as seen from outside."""
        return self.root / "root"

    @property
    def docker_sock(self) -> Path:
        return self.engine.socket

    @property
    def host_keys(self) -> list[str]:
        """The public keys that sshd shows, as `ssh-ed25519 AAAA...`."""
        return logins.host_keys(self.root)

    def run(
        self, *argv: str, stdin: str | None = None, check: bool = True, timeout: float = 60
    ) -> Completed:
        """Run a program on the host, not through ssh."""
        return self.machine.run(*argv, stdin=stdin, check=check, timeout=timeout)

    def docker(self, *argv: str, stdin: str | None = None) -> str:
        """Run the docker command line of this machine against the host's engine."""
        return self.engine.docker(*argv, stdin=stdin)

    # Faults. Each has its way back, and `reset` takes them all.

    def stop_engine(self) -> None:
        self.engine.stop()

    def kill_engine(self) -> None:
        self.engine.kill()

    def start_engine(self) -> None:
        self.engine.start()

    def freeze_engine(self) -> None:
        """The engine accepts connections, and nothing more comes; ssh works."""
        self.machine.signal(signal.SIGSTOP, *ENGINE_PROCESSES)

    def thaw_engine(self) -> None:
        self.machine.signal(signal.SIGCONT, *ENGINE_PROCESSES)

    def freeze(self) -> None:
        """The host accepts connections, and nothing more comes."""
        self.machine.freeze()

    def thaw(self) -> None:
        self.machine.thaw()

    def freeze_sshd(self) -> None:
        """Only sshd hangs, with its sessions; the engine goes on."""
        self.machine.signal(signal.SIGSTOP, *_SSHD)

    def thaw_sshd(self) -> None:
        self.machine.signal(signal.SIGCONT, *_SSHD)

    def stop_sshd(self) -> None:
        """No sshd, no sessions: connections are refused."""
        self.machine.kill(*_SSHD)

    def start_sshd(self) -> None:
        self.run(
            "/usr/sbin/sshd",
            "-f",
            str(self.root / "sshd/config"),
            "-E",
            str(self.root / "sshd.log"),
        )
        until(self._listens, 10, f"sshd on {self.name}")

    def drop_network(self) -> None:
        """Packets to and from the host vanish, also those of open connections."""
        self.machine.port.unplug()

    def restore_network(self) -> None:
        self.machine.port.plug_in()

    def reboot(self) -> None:
        """Everything that runs ends at once, and the host starts again with what is on its disk."""
        self.machine.kill_everything()
        until(
            lambda: not self.machine.pids(*_SSHD, *ENGINE_PROCESSES), 10, f"{self.name} to go down"
        )
        self.start_sshd()
        if self.has_docker:
            self.start_engine()

    def rotate_host_key(self) -> list[str]:
        """New host keys, as after a reinstallation; the fleet's known_hosts keeps the old ones."""
        self.stop_sshd()
        shutil.rmtree(self.root / "sshd")
        logins.write_sshd_config(self.root)
        self.start_sshd()
        return self.host_keys

    def fill_disk(self, leave: int = 0) -> None:
        """Fill the disk that Docker uses, but for `leave` bytes; for hosts started with `disk=`."""
        free = self.free_bytes() - leave
        self.run("sh", "-c", 'head -c "$1" /dev/zero >"$2" || true', "sh", str(free), self._filler)

    def empty_disk(self) -> None:
        self.run("rm", "-f", self._filler)

    def free_bytes(self) -> int:
        """What is free on the disk that Docker uses."""
        return int(
            self.run("df", "--output=avail", "-B1", str(self.engine.data_root)).stdout.split()[1]
        )

    def reset(self, *, images: bool = True, keep: Collection[str] = ()) -> None:
        """As it was at the start: all faults undone, nothing deployed, empty folders.

        `keep`: names of images to keep all the same.
        """
        self.thaw()
        self.restore_network()
        self.empty_disk()
        if not self.machine.pids(*_SSHD):
            self.start_sshd()
        if self.has_docker:
            if not self.engine.answers():
                self.engine.kill()
                self.engine.start()
            self.engine.remove_everything(images=images, keep=keep)
        for folder in ("root", "tmp", "var/tmp", "srv", "mnt", f"home/{logins.PLAIN_USER}"):
            for path in (self.root / folder).iterdir():
                if path.is_dir() and not path.is_symlink():
                    if path.name != ".ssh":
                        shutil.rmtree(path)
                else:
                    path.unlink()

    @property
    def _filler(self) -> str:
        return str(self.engine.data_root / "filler")

    def _listens(self) -> bool:
        try:
            with socket.create_connection((self.address, self.port), timeout=1) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False


def start_host(
    root: Path,
    port: Port,
    *,
    client_key: str,
    trust: Trust,
    disk: str | None = None,
    docker: bool = True,
) -> TestHost:
    """Start a server that lets `client_key` in.

    `disk="200M"` gives Docker a disk of that size; `docker=False` is a server without Docker.
    """
    configure(root, port, trust, {})
    logins.write_sshd_config(root)
    logins.write_users(root, client_key)
    mounts = [["--bind", str(root / file), f"/{file}"] for file in logins.FILES]
    if not docker:
        mounts += _hide_docker(root)
    if disk:
        options = f"size={disk},mode=711"
        mounts.append(["-t", "tmpfs", "-o", options, "tmpfs", str(root / "docker")])
    machine = Machine.boot(port.name, root, port, mounts=mounts)
    host = TestHost(machine, Engine(machine), docker)
    host.start_sshd()
    if docker:
        host.start_engine()
    return host


def _hide_docker(root: Path) -> list[list[str]]:
    """Lay a folder without `docker` and `dockerd` over each folder that has one."""
    mounts = []
    folders = dict.fromkeys(Path(folder).resolve() for folder in SYSTEM_PATH.split(":"))
    for index, folder in enumerate(folders):
        hidden = [name for name in ("docker", "dockerd") if os.path.lexists(f"{folder}/{name}")]
        if hidden:
            cover = root / f"without-docker/{index}"
            cover.mkdir(parents=True)
            for name in hidden:
                os.mknod(cover / name, stat.S_IFCHR, 0)  # overlayfs: "this name isn't here"
            layers = f"lowerdir={cover}:{folder}"
            mounts.append(["-t", "overlay", "-o", layers, "overlay", str(folder)])
    return mounts
