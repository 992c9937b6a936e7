"""How a deploy behind the proxy grows with the number of hosts, and the same work by hand."""

from __future__ import annotations

import itertools
import os
import shlex
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.measure import Comparison, Sample, Series, at_once
from benchmarks.project import LOCKSHIP, Docker, Project, add_service, on_fleet
from tests.harness import Fleet
from tests.harness.distance import far_away
from tests.harness.images import ensure_traefik

SIZES: Final = tuple(map(int, os.environ.get("LOCKSHIP_BENCH_HOSTS", "1 2 4 8").split()))
_AIM: Final = 1.3
_FAR: Final = 0.4  # seconds of a round trip: longer than what is sent together may take
_PROXY: Final = """
[proxy]
port = 80
hosts = ["{name}.test"]

[image]
repository = "{repository}"
"""
# What the last step of each phase is called in what a deploy prints; the rest is `finish`.
_PHASES: Final = {"connect": "connect", "stage": "probe", "switch": "route"}


def growth(runs: int, folder: Path) -> list[Comparison]:
    """A one-line change, already built and pushed, to 1, 2, 4 and 8 hosts behind the proxy.

    By hand: one ssh for each host, all at once: pull, run, ask until it answers, rename the route
    file, stop and remove the old one. LOCKSHIP_BENCH_HOSTS names other sizes.
    """
    with Fleet.start(hosts=max(SIZES)) as fleet:
        ensure_traefik(fleet.engine)  # where `prepare` looks it up
        for host in fleet.hosts:
            ensure_traefik(host.engine)
        services = {size: _service(fleet, folder, size) for size in SIZES}
        by_hand = {size: _ByHand(fleet, services[size], size) for size in {1, max(SIZES)}}
        ours: dict[int, list[Mapping[str, float]]] = {size: [] for size in SIZES}
        theirs: dict[int, list[Sample]] = {size: [] for size in by_hand}
        for turn, size in itertools.product(range(runs + 1), SIZES):
            samples = [_deploy(services[size], turn)]
            others = [by_hand[size].deploy(turn)] if size in by_hand else []
            if turn:  # the first one doesn't count
                ours[size] += samples
                theirs.setdefault(size, []).extend(others)
        trips = {size: _trips(fleet, services[size], size) for size in SIZES}
    return [
        *(
            Comparison(
                "s",
                f"`lockship deploy`, {_hosts(size)}",
                "by hand",
                _series(ours[size], "s"),
                _series(theirs[size], "s"),
                aim=_AIM,
            )
            for size in sorted(by_hand)
        ),
        *(
            Comparison(
                "s",
                f"{what}, {_hosts(size)}",
                _hosts(SIZES[0]),
                _series(ours[size], what),
                _series(ours[SIZES[0]], what),
            )
            for what in (*_PHASES, "finish", "CPU per host")
            for size in SIZES[1:]
        ),
        *(
            Comparison(
                "",
                f"round trips per host, {_hosts(size)}",
                _hosts(SIZES[0]),
                trips[size],
                trips[SIZES[0]],
            )
            for size in SIZES[1:]
        ),
    ]


def _name(size: int) -> str:
    return f"shop{size}"


def _hosts(size: int) -> str:
    return f"{size} host" + ("s" if size > 1 else "")


def _series(samples: list[Mapping[str, float]], what: str) -> Series:
    return Series(tuple(sample[what] for sample in samples))


def _registry(fleet: Fleet) -> str:
    return fleet.registry.address if fleet.registry else ""


def _service(fleet: Fleet, folder: Path, size: int) -> Project:
    """A service of its own for each size, on the first hosts, deployed once."""
    name = _name(size)
    (folder / name).mkdir()
    project = on_fleet(fleet, folder / name)
    add_service(project, hosts=[host.name for host in fleet.hosts[:size]])
    repository = f"{_registry(fleet)}/acme/{name}"
    text = (project.folder / "lockship.toml").read_text().replace('"shop"', f'"{name}"')
    text = text.replace("[healthcheck]", "proxy = true\n\n[healthcheck]")
    project.write("lockship.toml", text + _PROXY.format(name=name, repository=repository))
    project.commit()
    for command in ("prepare", "build", "deploy"):
        project.lockship(command)
    return project


def _change(project: Project, turn: int) -> None:
    """Change a line, and build."""
    project.write("www/index.html", f"turn {turn}\n")
    project.commit()
    project.lockship("prepare")
    project.lockship("build")


def _told(project: Project) -> tuple[list[tuple[float, str]], float]:
    """Deploy; the lines that it prints, each with its time, and the processor seconds it took."""
    with subprocess.Popen(
        [LOCKSHIP, "deploy"],
        cwd=project.folder,
        env=dict(project.env),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        lines = [(time.monotonic(), line) for line in process.stderr or ()]
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("".join(line for _, line in lines))
    return lines, used.ru_utime + used.ru_stime


def _deploy(project: Project, turn: int) -> Mapping[str, float]:
    """Time the phases of a deploy of one changed line by what it prints."""
    _change(project, turn)
    begin = time.monotonic()
    lines, processor = _told(project)
    end = time.monotonic()
    ended = {
        phase: max(at for at, line in lines if f"  {step}" in line and "done" in line)
        for phase, step in _PHASES.items()
    }
    times = [begin, *ended.values(), end]
    took = dict(
        zip([*_PHASES, "finish"], (b - a for a, b in itertools.pairwise(times)), strict=True)
    )
    hosts = sum(" connect" in line and "done" in line for _, line in lines)
    return took | {"s": end - begin, "CPU per host": processor / hosts}


def _trips(fleet: Fleet, project: Project, size: int) -> Series:
    """The round trips to each host, from the connection to the switch, with all hosts far away."""
    _change(project, -1)
    with ExitStack() as stack:
        hosts = fleet.hosts[:size]
        lines = [stack.enter_context(far_away(fleet, host.name, host.name)) for host in hosts]
        for line in lines:
            line.delay = _FAR
        told, _ = _told(project)
        route = Path(".lockship/_proxy/dynamic", f"{_name(size)}.yml")
        return Series(
            tuple(
                float(line.to_the_switch(told, line.host.name, line.host.home / route))
                for line in lines
            )
        )


class _ByHand:
    """The same service by a shell script, with a route of its own behind the same proxies."""

    def __init__(self, fleet: Fleet, project: Project, size: int) -> None:
        self._fleet, self._project, self._size = fleet, project, size
        self._hosts = [host.name for host in fleet.hosts[:size]]
        self._docker = Docker.of(project)
        self._repository = f"{_registry(fleet)}/acme/hand{size}"
        for host in fleet.hosts[:size]:  # what lockship never leaves on a host: credentials
            file = host.home / ".docker/config.json"
            file.parent.mkdir(exist_ok=True)
            file.write_text(fleet.home.docker_config.read_text())

    def deploy(self, turn: int) -> Sample:
        name, image = f"hand{self._size}", f"{self._repository}:{turn}"
        self._project.write("www/index.html", f"by hand {turn}\n")
        self._docker.build(image, self._project.folder)
        self._docker.run("push", image)
        new, old = f"{name}-{turn}", f"{name}-{turn - 1}"
        route = _ROUTE.format(name=name, new=new)
        steps = [
            f"docker pull --quiet {image}",
            f"docker run --detach --name {new} --network lockship {image}",
            f"until docker exec {new} wget -qO- http://127.0.0.1/; do sleep 0.1; done",
            f"printf %s {shlex.quote(route)} >.lockship/_proxy/{name}.new",
            f"mv .lockship/_proxy/{name}.new .lockship/_proxy/dynamic/{name}.yml",
            *([f"docker stop {old}", f"docker rm {old}"] if turn else []),
        ]
        ssh = ["ssh", "-F", str(self._fleet.ssh_config)]
        commands = [[*ssh, host, " && ".join(steps)] for host in self._hosts]
        return at_once(commands, self._project.folder, self._project.env)


_ROUTE: Final = """\
http:
  routers:
    {name}:
      rule: Host(`{name}.test`)
      service: {name}
  services:
    {name}:
      loadBalancer:
        servers:
          - url: http://{new}:80
"""
