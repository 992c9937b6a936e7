"""A service on two or three hosts whose health each host decides, and what must be true of it.

Its health is a file on the host (`gate`): a closed gate keeps a new container from becoming healthy
there and nowhere else, for as long as a test needs a deploy to wait. What serves isn't asked.
"""

import hashlib
import json
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from tests.fleet.shop import DOCKERFILE, Json, Shop
from tests.harness import Fleet, HarnessError, Result, TestHost, run_lockship, until

CONNECT_TIMEOUT = 8
"""Seconds; more than an idle machine needs, because this one isn't idle."""

_CONFIG = """\
[service]
name = "{name}"

[roles.web]
hosts = [{hosts}]
ports = [{ports}]
volumes = ["/srv/gate:/www/gate:ro"]
{role}
[healthcheck]
path = "{path}"
port = 80
interval = 0.1
timeout = 1
limit = {limit}

[deploy]
connect-timeout = {connect_timeout}
{more}"""


@dataclass(frozen=True)
class Service:
    """`in_the_way`: the old version's published port is, so that it stops before the new starts.

    That one is called "counter", so that both kinds live on the same hosts.
    """

    shop: Shop
    hosts: tuple[str, ...]
    in_the_way: bool = False
    addresses: dict[str, str] = field(default_factory=dict)
    """Where each host's serving container was last seen: asked while its engine can't be."""

    @classmethod
    def create(cls, fleet: Fleet, folder: Path, *hosts: str, in_the_way: bool = False) -> "Service":
        """Deployed once, saying "first"."""
        folder.mkdir()
        (folder / "tmp").mkdir()
        service = cls(Shop.create(fleet, folder / "shop"), hosts, in_the_way)
        for host in hosts:
            service.gate(host, healthy=True)
        service.change("first")
        service.deploy()
        service.settled("first")
        return service

    @property
    def fleet(self) -> Fleet:
        return self.shop.fleet

    @property
    def name(self) -> str:
        return "counter" if self.in_the_way else "shop"

    @property
    def lockfile(self) -> Path:
        return self.shop.folder / ".shiplock"

    def host(self, name: str) -> TestHost:
        return self.fleet[name]

    # What a person does.

    def edit(self, text: str, *, dockerfile: str = DOCKERFILE, **config: object) -> None:
        """Commit another content and configuration."""
        self.shop.write("Dockerfile", dockerfile)
        values: dict[str, object] = {
            "name": self.name,
            "hosts": ", ".join(f'"{host}"' for host in self.hosts),
            "ports": '"8080:80"' if self.in_the_way else "",
            "role": "",
            "path": "/gate/up",
            "limit": 20,
            "connect_timeout": CONNECT_TIMEOUT,
            "more": "",
        }
        self.shop.write("lockship.toml", _CONFIG.format(**(values | config)))
        self.shop.write("site/index.html", f"{text}\n")
        self.shop.commit(f"Say {text}")

    def change(self, text: str, *, dockerfile: str = DOCKERFILE, **config: object) -> str:
        """Commit and prepare another content; return its version."""
        self.edit(text, dockerfile=dockerfile, **config)
        return self.lockship("prepare").stdout.strip()

    def lockship(self, *argv: str, expect: int = 0, timeout: float = 120, **env: str) -> Result:
        done = run_lockship(argv, self.shop.folder, self.env(**env), timeout=timeout)
        return done.expect(expect)

    def deploy(self, *, expect: int = 0, timeout: float = 120, **env: str) -> str:
        """Run `lockship deploy`; return what it said."""
        return self.lockship("deploy", expect=expect, timeout=timeout, **env).stderr

    @property
    def temporary(self) -> Path:
        return self.shop.folder.parent / "tmp"

    def env(self, **more: str) -> dict[str, str]:
        return self.fleet.env(TMPDIR=str(self.temporary), **more)

    def gate(self, host: str, *, healthy: bool) -> None:
        """Whether new containers become healthy on this host."""
        file = self.host(host).root / "srv/gate/up"
        file.parent.mkdir(exist_ok=True)
        if healthy:
            file.write_text("yes\n")
        else:
            file.unlink(missing_ok=True)

    def stand(self) -> None:
        """See that one version runs on every host, and that this lock and the last have its key."""
        for host in self.hosts:
            if not set(self.shop.lock()["hosts"][host]["keys"]) <= set(self.host(host).host_keys):
                self.lockship("prepare", "--upgrade", host)
                for text in ("with its key", "with its key again"):  # for a rollback as well
                    self.change(text)
                    self.deploy()
        running = [sum(up for _, up in there) for there in self.world().values()]
        if running != [1] * len(self.hosts):
            self.change("anew")
            self.deploy()

    def mend(self) -> None:
        """Undo all faults."""
        for name in self.hosts:
            host = self.host(name)
            host.thaw()
            host.restore_network()
            if not host.machine.pids("sshd"):
                host.start_sshd()
            if not host.engine.answers():
                host.kill_engine()
                host.start_engine()
            self.gate(name, healthy=True)
            for left in self.run_folder(name).rglob("*.new"):
                left.unlink()
        for left in self.temporary.iterdir():
            shutil.rmtree(left)
        self.fleet.write_home()

    @contextmanager
    def dead_engine(self, host: str) -> Iterator[None]:
        """Kill an engine, whose containers go on; at the end start it, which stops them (20.10)."""
        self.host(host).kill_engine()
        yield
        self.host(host).start_engine()

    # What is true of the hosts.

    def running(self, host: str) -> Json:
        return self.shop.running(host, project=self.name)

    def containers(self, host: str) -> list[Json]:
        try:
            return self.shop.containers(host, self.name)
        except HarnessError:  # one went between the list and the look at it: look again
            return self.shop.containers(host, self.name)

    def run_folder(self, host: str) -> Path:
        return self.shop.run_folder(host, self.name)

    def journal(self, host: str) -> list[Json]:
        return self.shop.journal(host, self.name)

    def body(self, host: str) -> str:
        """What the service says on this host; by its address when its engine doesn't answer."""
        if self.host(host).engine.answers():
            container = self.running(host)
            self.addresses[host] = container["NetworkSettings"]["IPAddress"]
        if self.in_the_way:
            url = f"http://{self.host(host).address}:8080/"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return str(answer.read().decode()).strip()
        url = f"http://{self.addresses[host]}/"
        return self.host(host).run("busybox", "wget", "-qO-", url).stdout.strip()

    def bodies(self, host: str) -> set[str]:
        """What the running containers say, the old one's and the new one's; never none of them."""
        running = [each for each in self.containers(host) if each["State"]["Running"]]
        urls = [f"http://{each['NetworkSettings']['IPAddress']}/" for each in running]
        get = ("busybox", "wget", "-qO-")
        # What was asked for just before a kill may still be done: one of two that ran is gone.
        found = {self.host(host).run(*get, url, check=False).stdout.strip() for url in urls} - {""}
        assert found, f"{host} went down"
        return found

    def serves(self, text: str) -> None:
        assert {host: self.body(host) for host in self.hosts} == dict.fromkeys(self.hosts, text)

    def world(self, *hosts: str) -> dict[str, list[tuple[str, bool]]]:
        """The project's containers on every host, and whether they run."""
        return {
            host: [(each["Id"], each["State"]["Running"]) for each in self.containers(host)]
            for host in hosts or self.hosts
        }

    def nothing_left(self, before: dict[str, list[tuple[str, bool]]], text: str) -> None:
        """The hosts are as they were, and free for the next deploy."""
        assert self.world(*before) == before
        self.serves(text)
        for host in before:
            self.tidy(host)

    def tidy(self, host: str) -> None:
        """Nobody holds the mutex, no file is half written here or there, the journal is whole."""
        left = [path.name for path in self.temporary.iterdir()]
        assert left == []
        folder = self.run_folder(host)
        until(lambda: self.free(host), 3, f"the mutex on {host}")
        assert not list(folder.rglob("*.new"))
        lines = (folder / "journal.jsonl").read_bytes().splitlines()
        for earlier, later in pairwise(lines):
            said = json.loads(later)["previous"]
            assert said == "sha256:" + hashlib.sha256(earlier).hexdigest()

    def free(self, host: str) -> bool:
        """Whether nobody holds the mutex."""
        path = f"/root/.lockship/{self.name}/mutex"
        return self.host(host).run("flock", "-n", path, "true", check=False).returncode == 0

    def settled(self, text: str) -> None:
        """The locked version serves everywhere, once, and nothing else is left but releases."""
        lock = self.shop.lock()
        self.serves(text)
        for host in self.hosts:
            self.tidy(host)
            running = self.running(host)
            assert running["Image"] == lock["artifact"]["image-id"]
            assert len([each for each in self.world(host)[host] if each[1]]) == 1
            known = self.releases(host)
            assert known[-1]["fingerprint"] == lock["fingerprint"]
            kept = {each["fingerprint"] for each in known}
            for container in self.containers(host):
                assert container["Config"]["Labels"]["dev.lockship.fingerprint"] in kept
            assert self.journal(host)[-1]["outcome"] == "deployed"
            assert self.journal(host)[-1]["version"] == lock["service"]["version"]

    def mended(self, text: str) -> None:
        """The fault is gone: the next deploy ends well, and nothing tells of the last one."""
        self.deploy()
        self.settled(text)

    def releases(self, host: str) -> list[Json]:
        found: list[Json] = json.loads((self.run_folder(host) / "releases.json").read_text())
        return found

    def outcomes(self, host: str, version: str) -> list[str]:
        """What the host's journal says of the deploys of this version."""
        lines = self.journal(host)
        return [line["outcome"] for line in lines if line["version"] == version]
