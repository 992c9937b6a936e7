"""A small web service in a git repository, and what the hosts make of it, read without lockship."""

import json
import subprocess
import tomllib
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness import Engine, Fleet, HarnessError, Result, run_lockship, until

# httpd as a container's first process ignores SIGTERM, and would cost each stop its whole limit.
DOCKERFILE = """\
FROM busybox:1.36
COPY site /www
EXPOSE 80
STOPSIGNAL SIGKILL
CMD ["httpd", "-f", "-p", "80", "-h", "/www"]
"""
HOSTS = ("local", "web1", "web2", "web3")
Json = dict[str, Any]


@dataclass(frozen=True)
class Shop:
    """The service `shop`: its repository and the fleet that it runs on."""

    fleet: Fleet
    folder: Path

    @classmethod
    def create(cls, fleet: Fleet, folder: Path, config: str | None = None) -> "Shop":
        """A repository with one commit; without `config`, one that lockship hasn't seen yet."""
        folder.mkdir()
        shop = cls(fleet, folder)
        shop.git("init", "--quiet")
        shop.write("Dockerfile", DOCKERFILE)
        shop.write("site/index.html", "one\n")
        shop.write("site/up", "yes\n")
        if config is not None:
            shop.write("lockship.toml", config)
        shop.commit("Begin")
        return shop

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def git(self, *argv: str) -> str:
        done = subprocess.run(
            ["git", *argv], cwd=self.folder, env=self.fleet.env(), capture_output=True, text=True
        )
        assert done.returncode == 0, f"git {' '.join(argv)}: {done.stderr}"
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        """Commit all there is; return the version that its content has."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")[:12]

    def release(self, text: str) -> str:
        """Serve another text: commit, prepare, deploy; return the version."""
        self.write("site/index.html", text)
        version = self.commit(f"Say {text.strip()}")
        assert self.run("prepare").stdout.strip() == version
        self.run("deploy")
        return version

    def run(self, *argv: str, expect: int = 0, env: dict[str, str] | None = None) -> Result:
        return run_lockship(argv, self.folder, self.fleet.env(**(env or {}))).expect(expect)

    def lock(self, name: str = ".shiplock") -> Json:
        return tomllib.loads((self.folder / name).read_text())

    # What hosts are, by their engines and files.

    def engine(self, host: str) -> Engine:
        return self.fleet.engine if host == "local" else self.fleet[host].engine

    def run_folder(self, host: str, project: str = "shop") -> Path:
        home = self.fleet.home.path if host == "local" else self.fleet[host].home
        return home / ".lockship" / project

    def journal(self, host: str, project: str = "shop") -> list[Json]:
        path = self.run_folder(host, project) / "journal.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def containers(self, host: str, project: str = "shop") -> list[Json]:
        """`docker inspect` of the project's containers, running or not, by name."""
        engine = self.engine(host)
        label = f"label=dev.lockship.project={project}"

        found: list[Json] = []

        def stay() -> bool:
            ids = engine.docker("ps", "--all", "--quiet", "--filter", label).split()
            try:
                found[:] = json.loads(engine.docker("inspect", *ids)) if ids else []
            except HarnessError as error:
                # An engine that was frozen goes on with what it was told before: one may go.
                if "No such object" not in str(error):
                    raise
                return False
            return True

        until(stay, 20, "containers that stay")
        return sorted(found, key=lambda each: str(each["Name"]))

    def running(self, host: str, role: str = "web", project: str = "shop") -> Json:
        """`docker inspect` of the role's only running container."""
        (one,) = [
            each
            for each in self.containers(host, project)
            if each["State"]["Running"] and each["Config"]["Labels"]["dev.lockship.role"] == role
        ]
        return one

    def get(self, host: str, port: int = 8080, path: str = "/") -> str:
        """What a host's published port serves."""
        url = f"http://{self.engine(host).address}:{port}{path}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())

    def get_inside(self, host: str, role: str = "web") -> str:
        """What a container serves that publishes no port."""
        container = self.running(host, role)["Id"]
        return self.engine(host).docker("exec", container, "wget", "-qO-", "http://127.0.0.1/")


def config(*, hosts: tuple[str, ...] = HOSTS, ports: str = '"8080:80"', more: str = "") -> str:
    """A lockship.toml; `more` goes below."""
    names = ", ".join(f'"{host}"' for host in hosts)
    return (
        '[service]\nname = "shop"\n\n'
        f"[roles.web]\nhosts = [{names}]\nports = [{ports}]\n\n"
        '[healthcheck]\npath = "/up"\nport = 80\ninterval = 0.1\nlimit = 60\n\n'
        f"{more}"
    )


def impatient(text: str) -> str:
    """The same lockship.toml, that gives up on an unhealthy container at once."""
    return text.replace("limit = 60", "limit = 1")


def image_table(fleet: Fleet) -> str:
    """`[image]` for the fleet's registry."""
    assert fleet.registry
    return f'[image]\nrepository = "{fleet.registry.address}/acme/shop"\n'


def environment(container: Json) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in container["Config"]["Env"])
