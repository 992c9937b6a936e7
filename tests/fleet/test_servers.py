"""`lockship server` on real servers: one that is ready, one that isn't, one that is set up."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fleet.shop import Shop, config
from tests.harness import Fleet, TestHost

# The host's package manager, recorded: a real one would change this machine, whose files the host
# shares. What it installs is real: it uncovers the Docker that the host can't see, and starts it.
APT_GET = """\
#!/bin/sh
echo "apt-get $*" >>/root/recorded
case $* in
*"install docker.io")
    echo "Setting up docker.io"
    grep without-docker /proc/self/mounts | cut -d" " -f2 | xargs -n1 umount -l
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

        record(host)
        shown = shop.run("server", "bootstrap", "--plan").stdout
        assert shown.splitlines()[:2] == ["web1", "  nothing to do"]
        assert "apt-get -qq -y install docker.io  (there is no docker command)" in shown
        assert "-y" in shop.run("server", "bootstrap", expect=2).stderr
        assert not (host.home / "recorded").exists(), "shown, and not done"

        done = shop.run("server", "bootstrap", "-y")
        assert "bare: Setting up docker.io" in done.stderr.replace("bare  | ", "bare: ")
        assert (host.home / "recorded").read_text().splitlines() == [
            "apt-get -qq update",
            "apt-get -qq -y install docker.io",
        ]
        again = shop.run("server", "bootstrap", "-y")
        assert "nothing was to be done" in again.stderr
        shop.run("server", "check", "--host", "bare")
        shop.run("deploy")
        assert "web1" in shop.run("status").stdout


def record(host: TestHost) -> None:
    """Put the recorded package manager in the place of the real one."""
    recorder = host.home / "apt-get"
    recorder.write_text(APT_GET)
    recorder.chmod(0o755)
    host.run("mount", "--bind", "/root/apt-get", "/usr/bin/apt-get")
