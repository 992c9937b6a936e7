"""`lockship server` on real servers: one that is ready, one that isn't, one that is set up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fleet.shop import Shop, config
from tests.harness import Fleet, TestHost

# The host's package manager and what starts services, recorded: real ones would change this
# machine, whose files the host shares. What they do is real: one uncovers the Docker that the host
# can't see, and what a family has for that starts it.
RECORDER = """\
#!/bin/sh
asked="${0##*/} $*"
echo "$asked" >>/root/recorded
case $asked in
*"install docker.io" | *"install moby-engine" | "apk add --quiet docker")
    echo "Setting up docker"
    grep without-docker /proc/self/mounts | cut -d" " -f2 | xargs -n1 umount -l ;;
esac
case $asked in
*"install docker.io" | "systemctl enable --now docker" | "rc-service docker start")
    setsid dockerd >/root/dockerd.log 2>&1 </dev/null &
    for _ in $(seq 300); do docker version >/dev/null 2>&1 && exit 0; sleep 0.1; done
    exit 1 ;;
esac
"""


def test_what_each_host_is_ready_for(clean_fleet: Fleet, tmp_path: Path) -> None:
    shop = Shop.create(clean_fleet, tmp_path / "shop", config(hosts=("local", "web1", "web2")))
    shop.run("prepare")
    ready = shop.run("server", "check", "--host", "web1").stdout
    for words in ("as root by ssh", "Docker 2", "GiB free on", "8080: free, or its own", "ms"):
        assert words in ready
    shop.run("deploy")
    assert "as the image" in shop.run("server", "check", "--host", "web1").stdout

    clean_fleet["web1"].stop_engine()
    shop.run("remove", "--host", "web2", "-y")
    clean_fleet["web2"].run("busybox", "httpd", "-p", "8080", "-h", "/tmp")  # goes on by itself
    found = json.loads(shop.run("server", "check", "--json", expect=1).stdout)
    failed = [each for each in found["checks"] if each["verdict"] == "failed"]
    assert [(each["host"], each["what"]) for each in failed] == [
        ("web1", "engine"),
        ("web2", "ports"),
    ]
    assert failed[1]["said"] == "8080 is taken by a program outside of Docker"
    clean_fleet["web2"].machine.end("busybox")
    clean_fleet["web2"].stop_sshd()
    said = shop.run("server", "check", "--host", "web2", expect=1)
    assert "Connection refused" in said.stdout
    assert "ssh web2 true" in said.stderr


def test_docker_is_installed_where_it_is_missing(clean_fleet: Fleet, tmp_path: Path) -> None:
    with clean_fleet.extra_host("bare", docker=False) as host:
        shop = Shop.create(clean_fleet, tmp_path / "shop", config(hosts=("web1", "bare")))
        shop.run("prepare")
        checked = shop.run("server", "check", "--host", "bare", expect=1)
        assert "there is no docker command" in checked.stdout
        assert "lockship server bootstrap --host bare" in checked.stderr

        record(host, "apt-get")
        shown = shop.run("server", "bootstrap", "--plan").stdout
        assert shown.splitlines()[:2] == ["web1", "  nothing to do"]
        assert "apt-get -qq -y install docker.io  (there is no docker command)" in shown
        assert "-y" in shop.run("server", "bootstrap", expect=2).stderr
        assert not (host.home / "recorded").exists(), "shown, and not done"

        done = shop.run("server", "bootstrap", "-y")
        assert "bare: Setting up docker" in done.stderr.replace("bare  | ", "bare: ")
        assert (host.home / "recorded").read_text().splitlines() == [
            "apt-get -qq update",
            "apt-get -qq -y install docker.io",
        ]
        again = shop.run("server", "bootstrap", "-y")
        assert "nothing was to be done" in again.stderr
        shop.run("server", "check", "--host", "bare")
        shop.run("deploy")
        assert "web1" in shop.run("status").stdout


@pytest.mark.parametrize(
    ("system", "programs", "commands"),
    [
        pytest.param(
            "ID=fedora\nVERSION_ID=43\n",
            ("dnf", "systemctl"),
            ["dnf -q -y install moby-engine", "systemctl enable --now docker"],
            id="Fedora",
        ),
        pytest.param(
            "ID=alpine\nVERSION_ID=3.22.0\n",
            ("apk", "rc-update", "rc-service"),
            [
                "apk add --quiet docker",
                "rc-update add docker default",
                "rc-service docker start",
            ],
            id="Alpine",
        ),
    ],
)
def test_other_families_get_docker_by_their_own_means(
    clean_fleet: Fleet,
    tmp_path: Path,
    system: str,
    programs: tuple[str, ...],
    commands: list[str],
) -> None:
    with clean_fleet.extra_host("bare", docker=False) as host:
        shop = Shop.create(clean_fleet, tmp_path / "shop", config(hosts=("bare",)))
        shop.run("prepare")
        (host.home / "os-release").write_text(system)
        host.run("mount", "--bind", "/root/os-release", "/usr/lib/os-release")
        if "systemctl" in programs:
            host.run("mkdir", "-p", "/run/systemd/system")  # sd_booted(3)
        record(host, *programs)
        shown = shop.run("server", "bootstrap", "--plan").stdout
        assert [line.strip().partition("  (")[0] for line in shown.splitlines()[1:]] == commands
        assert not (host.home / "recorded").exists(), "shown, and not done"
        shop.run("server", "bootstrap", "-y")
        assert (host.home / "recorded").read_text().splitlines() == commands
        assert "nothing was to be done" in shop.run("server", "bootstrap", "-y").stderr
        shop.run("server", "check")


def record(host: TestHost, *programs: str) -> None:
    """Put recorded programs in the place of real ones, or where the host finds them first."""
    folder = host.home / "recorders"
    folder.mkdir()
    for name in programs:
        (folder / name).write_text(RECORDER)
        (folder / name).chmod(0o755)
    host.run("mount", "--bind", "/root/recorders", "/usr/local/sbin")
