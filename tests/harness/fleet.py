"""A fleet: servers, a registry, a builder, and the home folder of the person who deploys."""

import itertools
import shutil
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness import certs, claims
from tests.harness.engine import Engine, Trust, start_builder
from tests.harness.home import (
    Home,
    create_home,
    write_docker_config,
    write_known_hosts,
    write_ssh_config,
)
from tests.harness.hosts import TestHost, start_host
from tests.harness.images import BUSYBOX, PYTHON, ensure_base_images
from tests.harness.network import Network
from tests.harness.registry import PORT, Registry, start_registry
from tests.harness.shell import SYSTEM_PATH, require_tools, sh

REPOSITORY = Path(__file__).resolve().parents[2]
FIRST_HOST, REGISTRY, BUILDER = 11, 250, 251
"""Last parts of addresses; .1 is this machine."""


@dataclass(frozen=True, repr=False)
class Fleet:
    claim: claims.Claim
    network: Network
    home: Home
    engine: Engine
    """The builder: what DOCKER_HOST in `env()` names.

    Its containers answer this machine on their own addresses, and published ports on
    `engine.address`; not on 127.0.0.1, where another fleet's would be in the way.
    """
    hosts: tuple[TestHost, ...]
    registry: Registry | None
    trust: Trust
    host_numbers: Iterator[int]
    hashed_known_hosts: bool
    seconds: float
    """How long the start took."""
    extras: dict[str, TestHost] = field(default_factory=dict)
    """Hosts that are there for one test, by name."""

    @classmethod
    @contextmanager
    def start(
        cls,
        hosts: int | Sequence[str] = 3,
        *,
        registry: bool = True,
        tls: bool = True,
        disk: Mapping[str, str] | None = None,
        without_docker: Sequence[str] = (),
        hashed_known_hosts: bool = False,
        base_images: bool = True,
    ) -> Iterator["Fleet"]:
        """Start a fleet; it's gone at the end of the `with` block, and ends when this process does.

        `hosts`: how many (web1, web2, ...) or their names.
        `tls=False`: a plain registry without a password.
        `disk={"web2": "200M"}`: the size of Docker's disk there.
        `without_docker=["web3"]`: no Docker there.
        `base_images=False`: an empty builder, which saves a moment.
        """
        begin = time.monotonic()
        require_tools()
        names = [f"web{n + 1}" for n in range(hosts)] if isinstance(hosts, int) else list(hosts)
        claim = claims.claim()
        try:
            network, home = Network.create(claim.number), create_home(claim.folder / "home")
            authority = (
                certs.issue(claim.folder / "certs", network.address(REGISTRY)) if tls else None
            )
            trust = Trust(f"{network.address(REGISTRY)}:{PORT}", authority)
            numbers = itertools.count(FIRST_HOST)

            def host(name: str) -> TestHost:
                port = network.plug(name, next(numbers))
                size, docker = (disk or {}).get(name), name not in without_docker
                return start_host(
                    claim.folder / name,
                    port,
                    client_key=home.public_key,
                    trust=trust,
                    disk=size,
                    docker=docker,
                )

            def builder() -> Engine:
                engine = start_builder(
                    claim.folder / "builder", network.plug("builder", BUILDER), trust
                )
                if base_images:
                    ensure_base_images(engine)
                return engine

            with ThreadPoolExecutor(max_workers=len(names) + 2) as pool:
                engine = pool.submit(builder)
                servers = [pool.submit(host, name) for name in names]
                store = (
                    pool.submit(
                        start_registry,
                        claim.folder / "registry",
                        network.plug("registry", REGISTRY),
                        trust,
                    )
                    if registry
                    else None
                )
            fleet = cls(
                claim=claim,
                network=network,
                home=home,
                engine=engine.result(),
                hosts=tuple(server.result() for server in servers),
                registry=store.result() if store else None,
                trust=trust,
                host_numbers=numbers,
                hashed_known_hosts=hashed_known_hosts,
                seconds=time.monotonic() - begin,
            )
            fleet.write_home()
            try:
                yield fleet
            finally:
                for machine in [fleet.engine.machine, *(host.machine for host in fleet.hosts)]:
                    machine.power_off()
                if fleet.registry:
                    fleet.registry.machine.power_off()
        finally:
            claim.release()

    def __getitem__(self, name: str) -> TestHost:
        """The host of this name."""
        extra = self.extras.get(name)
        return extra or next(host for host in self.hosts if host.name == name)

    @property
    def ssh_config(self) -> Path:
        return self.home.ssh_config

    def env(self, **more: str) -> dict[str, str]:
        """The whole environment of a process that deploys; nothing of this process's is in it."""
        home = self.home.path
        return {
            "HOME": str(home),
            "USER": "ada",
            "LOGNAME": "ada",
            "PATH": f"{Path(sys.executable).parent}:{SYSTEM_PATH}",
            "PYTHONPATH": str(REPOSITORY),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "DOCKER_HOST": self.engine.url,
            "XDG_CACHE_HOME": str(home / ".cache"),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_DATA_HOME": str(home / ".local/share"),
            "XDG_STATE_HOME": str(home / ".local/state"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "EDITOR": "false",
            **more,
        }

    def write_home(self, *extra: TestHost) -> None:
        """Write ssh config, known hosts and registry credentials as they were at the start."""
        servers = [*self.hosts, *extra]
        write_ssh_config(self.home, {host.name: host.address for host in servers}, user="root")
        keys = {host.address: host.host_keys for host in servers}
        write_known_hosts(self.home, keys, hashed=self.hashed_known_hosts)
        write_docker_config(self.home, self.registry.docker_config() if self.registry else {})

    def reset(self, *, images: bool = True, keep: Collection[str] = ()) -> None:
        """Undo all faults and remove what was deployed and built.

        `images=False` keeps the hosts' images, `keep` those of these names, the builder's too.

        The builder keeps its base images and its build cache; the registry is empty.
        """
        with ThreadPoolExecutor() as pool:
            done = [pool.submit(host.reset, images=images, keep=keep) for host in self.hosts]
            if self.registry:
                done.append(pool.submit(self.registry.reset))
            done.append(pool.submit(self._reset_builder, keep))
        for future in done:
            future.result()
        for folder in (".cache", ".config", ".local", ".lockship"):
            shutil.rmtree(self.home.path / folder, ignore_errors=True)
        self.write_home()

    def _reset_builder(self, keep: Collection[str]) -> None:
        if not self.engine.answers():
            self.engine.machine.thaw()
            self.engine.kill()
            self.engine.start()
        self.engine.remove_everything(images=True, keep=[*BUSYBOX, *PYTHON, *keep])
        ensure_base_images(self.engine)  # a test may have removed one

    @contextmanager
    def extra_host(
        self, name: str, *, disk: str | None = None, docker: bool = True
    ) -> Iterator[TestHost]:
        """One more host, for one test; it's in the ssh config and known hosts meanwhile."""
        port = self.network.plug(name, next(self.host_numbers))
        folder = self.claim.folder / name
        host = start_host(
            folder,
            port,
            client_key=self.home.public_key,
            trust=self.trust,
            disk=disk,
            docker=docker,
        )
        self.write_home(host)
        self.extras[name] = host
        try:
            yield host
        finally:
            del self.extras[name]
            host.machine.power_off()
            sh("ip", "netns", "delete", port.netns.name)
            shutil.rmtree(folder)
            self.write_home()
