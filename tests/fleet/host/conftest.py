"""Connecting to the fleet's hosts as the person whose home it has."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from lockship.host.connect import connect, local
from lockship.host.server import Server
from lockship.host.types import ContainerSpec
from lockship.lock.model import Host
from tests.harness import Fleet, TestHost

Connect = Callable[..., Server]


def host_of(host: TestHost) -> Host:
    """What a lock says of this host."""
    return Host(keys=tuple(host.host_keys))


def spec(name: str, image: str, *command: str, **more: object) -> ContainerSpec:
    defaults: dict[str, object] = {
        "env": {},
        "labels": {},
        "ports": (),
        "volumes": (),
        "restart": "no",
        "memory": None,
        "cpus": None,
        "stop_timeout": 1.0,
    }
    return ContainerSpec(name=name, image=image, command=command, **(defaults | more))  # type: ignore[arg-type]


@pytest.fixture
def as_user(clean_fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """The fleet, with this process's environment as that of a deploying person's process."""
    for name, value in clean_fleet.env().items():
        if name != "PYTHONPATH":
            monkeypatch.setenv(name, value)
    return clean_fleet


@pytest.fixture
def to(as_user: Fleet) -> Iterator[Connect]:
    """Connect to a host of the fleet, or by a name of one's own; closed at the end."""
    with ExitStack() as opened:

        def open_server(host: TestHost, name: str = "", *, timeout: float = 10) -> Server:
            return opened.enter_context(connect(name or host.name, host_of(host), timeout=timeout))

        yield open_server


@pytest.fixture
def web1(as_user: Fleet, to: Connect) -> Server:
    """A connection to the first host, which has the image busybox:1.36."""
    server = to(as_user.hosts[0])
    with local() as here:
        image = here.image("busybox:1.36")
        assert image is not None
        if server.image(image.id) is None:
            server.load(here.export(image.id))
            server.tag(image.id, "busybox:1.36")
    return server
