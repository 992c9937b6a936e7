"""What goes to servers: shipping an image, deploys to eight of them, and the memory they take."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Comparison, Sample, at_once, take_turns
from benchmarks.project import Docker, Project, add_service, on_fleet
from tests.harness import Fleet

HOSTS = 8
_BIG = 200  # MiB
_SMALL_AND_LARGE = (20, 400)  # MiB


def ship(runs: int, folder: Path) -> list[Comparison]:
    """One changed line of a 200 MB image to a server, against `docker save | ssh docker load`.

    All bytes count that pass the network interface, both ways, with all headers; on lockship's side
    those and the seconds of the whole deploy, by hand of the shipping alone.
    """
    with Fleet.start(hosts=1, registry=False) as fleet:
        project = on_fleet(fleet, folder)
        add_service(project, hosts=["web1"], copies="COPY blob /blob\nCOPY www /www")
        project.write_noise("blob", _BIG)
        docker = Docker.of(project)
        change = _changes(project)

        def ours() -> Sample:
            change()
            project.lockship("prepare")
            project.lockship("build")
            return _with_bytes(fleet, lambda: project.lockship("deploy"))

        def theirs() -> Sample:
            change()
            docker.build("by-hand", project.folder)
            return _with_bytes(
                fleet,
                lambda: at_once(
                    [_shell(_save(fleet, docker, "web1"))], project.folder, docker.project.env
                ),
            )

        mine, others = take_turns(runs, ours, theirs)
    words = ("`lockship deploy`", "`docker save \\| ssh docker load`")
    return [
        Comparison("B", *words, mine["B"], others["B"], aim=0.01),
        Comparison("s", *words, mine["s"], others["s"]),
    ]


def unchanged(runs: int, folder: Path) -> list[Comparison]:
    """`lockship deploy` with nothing to do on 8 servers, against `ssh HOST true` on all at once."""
    with Fleet.start(hosts=HOSTS, registry=False) as fleet:
        project = on_fleet(fleet, folder)
        names = [host.name for host in fleet.hosts]
        add_service(project, hosts=names)
        project.commit()
        project.lockship("prepare")
        project.lockship("deploy")
        commands = [["ssh", "-F", str(fleet.ssh_config), name, "true"] for name in names]
        ours, theirs = take_turns(
            runs,
            lambda: project.lockship("deploy"),
            lambda: at_once(commands, project.folder, project.env),
        )
    words = ("`lockship deploy`", f"`ssh HOST true`, {HOSTS} at once")
    return [Comparison("s", *words, ours["s"], theirs["s"], aim=3)]


def changed(runs: int, folder: Path) -> list[Comparison]:
    """A deploy of a changed small image to 8 servers, against a shell script for each at once.

    By hand: `docker save | ssh docker load`, then in one more ssh: run the new container, ask it
    until it answers, stop and remove the old one. Both images are built before.
    """
    with Fleet.start(hosts=HOSTS, registry=False) as fleet:
        project = on_fleet(fleet, folder)
        names = [host.name for host in fleet.hosts]
        add_service(project, hosts=names)
        docker = Docker.of(project)
        change = _changes(project)
        counter = itertools.count()

        def ours() -> Sample:
            change()
            project.lockship("prepare")
            project.lockship("build")
            return project.lockship("deploy")

        def theirs() -> Sample:
            change()
            docker.build("by-hand", project.folder)
            turn = next(counter)
            scripts = [_shell(_by_hand(fleet, docker, name, turn)) for name in names]
            return at_once(scripts, project.folder, docker.project.env)

        mine, others = take_turns(runs, ours, theirs)
    words = ("`lockship deploy`", f"{HOSTS} shell scripts at once")
    return [Comparison("s", *words, mine["s"], others["s"])]


def memory(runs: int, folder: Path) -> list[Comparison]:
    """The peak memory of a first deploy of a 400 MB image, against that of a 20 MB one."""
    small, large = _SMALL_AND_LARGE
    with Fleet.start(hosts=1, registry=False) as fleet:
        project = on_fleet(fleet, folder)
        add_service(project, hosts=["web1"], copies="COPY blob /blob\nCOPY www /www")

        def first_deploy(mebibytes: int) -> Sample:
            project.write_noise("blob", mebibytes)
            project.commit()
            project.lockship("prepare")
            project.lockship("build")
            return project.peak("deploy")

        ours, theirs = take_turns(runs, lambda: first_deploy(large), lambda: first_deploy(small))
    words = (f"{large} MB image", f"{small} MB image")
    return [Comparison("MiB", *words, ours["MiB"], theirs["MiB"], aim=1.1)]


def _changes(project: Project) -> Callable[[], None]:
    """A function that changes one line, another one each time, and commits it."""
    counter = itertools.count(1)

    def change() -> None:
        project.write("www/index.html", f"{next(counter)}\n")
        project.commit()

    return change


def _with_bytes(fleet: Fleet, do: Callable[[], Sample]) -> Sample:
    before = _traffic(fleet)
    sample = do()
    return {**sample, "B": _traffic(fleet) - before}


def _traffic(fleet: Fleet) -> int:
    """What this machine's interface to the fleet has carried so far, both ways."""
    counters = Path("/sys/class/net", fleet.network.interface, "statistics")
    return sum(int((counters / name).read_text()) for name in ("rx_bytes", "tx_bytes"))


def _shell(script: str) -> list[str]:
    return ["bash", "-euo", "pipefail", "-c", script]


def _save(fleet: Fleet, docker: Docker, host: str) -> str:
    return f"{docker.path} save by-hand | {_ssh(fleet, host)} docker load --quiet"


def _ssh(fleet: Fleet, host: str) -> str:
    return f"ssh -F {shlex.quote(str(fleet.ssh_config))} {host}"


def _by_hand(fleet: Fleet, docker: Docker, host: str, turn: int) -> str:
    new, old = f"by-hand-{turn}", f"by-hand-{turn - 1}"
    steps = [
        f"docker run --detach --name {new} by-hand",
        f"until docker exec {new} wget -qO- http://127.0.0.1/; do sleep 0.1; done",
        *([f"docker stop {old}", f"docker rm {old}"] if turn else []),
    ]
    remote = shlex.quote(" && ".join(steps))
    return f"{_save(fleet, docker, host)}\n{_ssh(fleet, host)} {remote}"
