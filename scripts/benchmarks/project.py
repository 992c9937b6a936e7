"""A service in a git repository, and the person who deploys it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.measure import Sample, run
from lockship.build.client import client_env, find_client
from tests.harness import Fleet
from tests.harness.home import create_home
from tests.harness.shell import SYSTEM_PATH
from tests.unit.locks import leave_pins

LOCKSHIP = str(Path(sys.executable).with_name("lockship"))
# `ru_maxrss` begins with the peak of the process that started this one; VmHWM is its own.
_PROBE: Final = """
import re, sys
from lockship.cli.main import run
status = run(sys.argv[1:])
said = open("/proc/self/status").read()
print(re.search(r"VmHWM:\\s+(\\d+) kB", said)[1], file=sys.stderr)
sys.exit(status)
"""

# httpd as a container's first process ignores SIGTERM, and would cost each stop its whole limit.
DOCKERFILE = """\
FROM busybox:1.36
{copies}
EXPOSE 80
STOPSIGNAL SIGKILL
CMD ["httpd", "-f", "-p", "80", "-h", "/www"]
"""
CONFIG = """\
[service]
name = "shop"

[roles.web]
hosts = [{hosts}]

[healthcheck]
path = "/"
port = 80
interval = 0.1
"""


@dataclass(frozen=True)
class Project:
    """A repository, and the whole environment in which commands run there."""

    folder: Path
    env: Mapping[str, str]

    def git(self, *words: str, stdin: Path | None = None) -> str:
        """Run git, uncounted."""
        with (stdin or Path(os.devnull)).open("rb") as given:
            done = subprocess.run(
                ["git", *words],
                cwd=self.folder,
                env=dict(self.env),
                stdin=given,
                capture_output=True,
            )
        if done.returncode:
            raise SystemExit(f"git {' '.join(words)}: {done.stderr.decode()}")
        return done.stdout.decode().strip()

    def write(self, path: str, content: str | bytes) -> None:
        """Write a file below the folder."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def write_noise(self, path: str, mebibytes: int) -> None:
        """Write bytes that nothing can compress, others each time."""
        with (self.folder / path).open("wb") as file:
            for _ in range(mebibytes):
                file.write(os.urandom(1 << 20))

    def commit(self) -> None:
        """Commit all there is."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Change")

    def lockship(self, *words: str) -> Sample:
        """Run lockship as it is installed."""
        return run([LOCKSHIP, *words], self.folder, self.env)

    def peak(self, *words: str) -> Sample:
        """Run lockship; the peak memory of its own process, without that of programs it starts."""
        argv = [sys.executable, "-P", "-c", _PROBE, *words]
        done = subprocess.run(argv, cwd=self.folder, env=dict(self.env), capture_output=True)
        if done.returncode:
            raise SystemExit(f"lockship {' '.join(words)}: {done.stderr.decode()}")
        return {"MiB": int(done.stderr.split()[-1]) / 1024}

    def run(self, argv: Sequence[str]) -> Sample:
        """Run a program."""
        return run(argv, self.folder, self.env)


def on_this_machine(folder: Path) -> Project:
    """An empty repository, for commands that need no servers."""
    home = create_home(folder / "home").path
    path = f"{Path(sys.executable).parent}:{SYSTEM_PATH}"
    env = {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1"}
    project = _begun(Project(folder / "shop", env))
    leave_pins(project.folder)
    return project


def on_fleet(fleet: Fleet, folder: Path) -> Project:
    """An empty repository in `folder`, and a user who may log in to the fleet's hosts."""
    env = fleet.env(XDG_CACHE_HOME=str(folder / "cache"))
    return _begun(Project(folder / "shop", env))


def _begun(project: Project) -> Project:
    project.folder.mkdir()
    project.git("init", "--quiet")
    return project


def add_service(
    project: Project, *, hosts: Sequence[str] = ("local",), copies: str = "COPY www /www"
) -> None:
    """Write a small web service that lockship deploys to `hosts`."""
    project.write("Dockerfile", DOCKERFILE.format(copies=copies))
    project.write("www/index.html", "0\n")
    project.write("lockship.toml", CONFIG.format(hosts=", ".join(f'"{host}"' for host in hosts)))


@dataclass(frozen=True)
class Docker:
    """The docker command line, as a person uses it who deploys by hand."""

    path: str
    project: Project

    @classmethod
    def of(cls, project: Project) -> Docker:
        """The one that builds with BuildKit here."""
        env = client_env(project.env)
        return cls(find_client(env).path, Project(project.folder, env))

    def run(self, *words: str) -> Sample:
        """Run it."""
        return self.project.run([self.path, *words])

    def build(self, tag: str, folder: Path) -> Sample:
        """Build with BuildKit."""
        return self.run("build", "--quiet", f"--tag={tag}", str(folder))
