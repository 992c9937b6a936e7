"""A container's options, against what `docker create` makes of its own long options."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from lockship.deploy.probe import probe
from lockship.host.errors import HostError
from lockship.host.server import Server
from lockship.lock.container import ContainerOptions
from lockship.lock.role import Healthcheck
from lockship.prepare.config import parse
from tests import everything
from tests.fleet.host.conftest import spec
from tests.harness import Fleet

# tests/everything/options.toml in docker's own words.
TWIN = r"""
--user=1000:1000 --group-add=44 --group-add=1001 --workdir=/tmp --init=true
--stop-signal=SIGQUIT --network=front --network-alias=web.shop.internal --hostname=Shop.test
--add-host=db.internal:10.0.0.5 --add-host=gateway:host-gateway --dns=10.0.0.53 --dns=fd00::53
--dns-search=internal --read-only=true --tmpfs=/run --tmpfs=/tmp:size=64m,mode=1777 --shm-size=96m
--device=/dev/null --device=/dev/zero:/dev/nought:r --device=/dev/full:rw --gpus=all --runtime=runc
--privileged=false --cap-add=NET_ADMIN --cap-drop=ALL --security-opt=no-new-privileges
--security-opt=seccomp=unconfined --pid=host --ipc=shareable --sysctl=net.core.somaxconn=2048
--memory-reservation=32m --memory-swap=128m --cpu-shares=512 --cpuset-cpus=0 --pids-limit=200
--oom-score-adj=500 --ulimit=nofile=65536 --ulimit=core=0:-1 --log-driver=json-file
--log-opt=max-size=1m --log-opt=max-file=2 --health-interval=2.5s --health-timeout=3s
--health-retries=4 --health-start-period=5s
--memory=64m --cpus=0.5 --restart=no --stop-timeout=1
"""


def inspected(fleet: Fleet, name: str) -> dict[str, Any]:
    (found,) = json.loads(fleet.hosts[0].docker("inspect", name))
    assert isinstance(found, dict)
    return found


def compared(found: dict[str, Any]) -> dict[str, Any]:
    """What a container was asked to be; of equal values that say nothing, one."""
    said = {**found["Config"], **found["HostConfig"], "Path": found["Path"], "Args": found["Args"]}
    skipped = ("AttachStdout", "AttachStderr", "ConsoleSize", "OnBuild", "Volumes", "Annotations")
    return {key: value or None for key, value in said.items() if key not in skipped}


def test_every_option_is_what_docker_makes_of_it(as_user: Fleet, web1: Server) -> None:
    options = parse(everything.files("options")).roles["web"].for_lock().options
    absent = [
        name for name in options.__struct_fields__ if getattr(options, name) in (None, (), {})
    ]
    assert absent == ["no_healthcheck"], "each option but the one that excludes others is tried"
    ours = spec(
        "ours",
        "busybox:1.36",
        options=options,
        known_as="web.shop.internal",
        memory="64m",
        cpus=0.5,
    )
    web1.create(ours)
    health = "--health-cmd=true"  # docker's client only knows a shell's line
    words = [*TWIN.split(), health, "--entrypoint=sleep", "busybox:1.36", "100"]
    as_user.hosts[0].docker("create", "--name=twin", *words)
    made, twin = inspected(as_user, "ours"), inspected(as_user, "twin")
    assert made["Config"]["Healthcheck"].pop("Test") == ["CMD", "true", "a b"]
    assert twin["Config"]["Healthcheck"].pop("Test") == ["CMD-SHELL", "true"]
    assert made["Config"].pop("Entrypoint") == ["sleep", "100"]
    assert twin["Config"].pop("Entrypoint") == ["sleep"]
    assert (made["Config"].pop("Cmd"), twin["Config"].pop("Cmd")) == (None, ["100"])
    assert compared(made) == compared(twin)
    networks = made["NetworkSettings"]["Networks"]
    assert sorted(networks) == ["back", "front"]
    assert all("web.shop.internal" in network["Aliases"] for network in networks.values())


def test_containers_find_each_other_by_role_in_a_network_of_theirs(
    as_user: Fleet, web1: Server
) -> None:
    """Behind the proxy too, whose network is the one where the container is reached."""
    host, name = as_user.hosts[0], "web.shop.internal"
    served = {"network": "lockship", "alias": "abc.web.shop.internal", "known_as": name}
    options = ContainerOptions(networks=("back", "apart"))
    web1.create(
        spec(
            "web",
            "busybox:1.36",
            "sleep",
            "100",
            options=options,
            labels={"dev.test": "1"},
            **served,
        )
    )
    (listed,) = web1.containers({})
    assert listed.networks == ("apart", "back", "lockship"), "seen before it ever ran"
    alone = ContainerOptions(networks=("back",))
    web1.create(spec("job", "busybox:1.36", "sleep", "100", options=alone))
    web1.start("web")
    web1.start("job")
    networks = inspected(as_user, "web")["NetworkSettings"]["Networks"]
    assert networks["back"]["IPAddress"] in host.docker("exec", "job", "nslookup", name)
    for found in (web1.container("web"), *web1.containers({"dev.test": ""})):
        assert found is not None
        assert found.address == networks["lockship"]["IPAddress"]
    assert list(inspected(as_user, "job")["NetworkSettings"]["Networks"]) == ["back"]


def test_an_option_that_a_host_has_not_is_said_with_its_name(web1: Server) -> None:
    options = ContainerOptions(runtime="nowhere")
    with pytest.raises(HostError, match=r"web1: create web: .*nowhere") as caught:
        web1.create(spec("web", "busybox:1.36", "sleep", "100", options=options))
    assert "`options`" in caught.value.hint
    assert web1.containers({}) == []


def test_with_the_hosts_network_a_container_is_reached_on_the_host(
    as_user: Fleet, web1: Server
) -> None:
    options = ContainerOptions(networks=("host",))
    serve = ("httpd", "-f", "-p", "8123", "-h", "/etc")
    web1.create(spec("web", "busybox:1.36", *serve, options=options, known_as="web.shop.internal"))
    (listed,) = web1.containers({})
    assert listed.networks == ("host",), "it isn't taken for one that is half made"
    web1.start("web")
    probe(web1, "web", Healthcheck(path="/passwd", port=8123), stop=threading.Event())
    for found in (web1.container("web"), *web1.containers({})):
        assert found is not None
        assert found.address == "127.0.0.1"
    web1.stop("web", 0)
    for found in (web1.container("web"), *web1.containers({})):
        assert found is not None
        assert found.address == ""
