"""From a `ContainerSpec` to the body of `POST /containers/create`. Pure."""

from __future__ import annotations

import math
from typing import Any

from lockship.host import options
from lockship.host.options import parse_size
from lockship.host.restarts import while_running
from lockship.host.types import ContainerSpec, Published
from lockship.lock.container import HOST_NETWORK


def to_engine(spec: ContainerSpec) -> dict[str, Any]:
    """Return the body, in the format of Engine API 1.41.

    Nothing of this machine's Docker configuration goes in: the SDK's own `create_container` would
    add its proxy settings to the environment.
    """
    ports = [parse_port(port) for port in spec.ports]
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in ports:
        binding = {"HostIp": port.address, "HostPort": str(port.host_port)}
        bindings.setdefault(f"{port.container_port}/{port.protocol}", []).append(binding)
    host: dict[str, Any] = {
        "Binds": list(spec.volumes),
        "PortBindings": bindings,
        "RestartPolicy": {"Name": while_running(spec.restart)},
    }
    if spec.memory:
        host["Memory"] = parse_size(spec.memory)
    if spec.cpus:
        host["NanoCpus"] = round(spec.cpus * 1e9)
    env = dict(spec.env) | {name: secret.reveal() for name, secret in spec.secrets.items()}
    body: dict[str, Any] = {
        "Image": spec.image,
        "Env": [f"{name}={value}" for name, value in env.items()],
        "Labels": dict(spec.labels),
        "ExposedPorts": {name: {} for name in bindings},
        "StopTimeout": math.ceil(spec.stop_timeout),
        "HostConfig": host | options.host_config(spec.options),
    }
    if spec.command:
        body["Cmd"] = list(spec.command)
    for first in networks(spec)[:1]:
        body["HostConfig"]["NetworkMode"] = first
        known = {"Aliases": names} if (names := aliases(spec, first)) else {}
        body["NetworkingConfig"] = {"EndpointsConfig": {first: known}}
    return body | options.config(spec.options)


def networks(spec: ContainerSpec) -> tuple[str, ...]:
    """Return the networks that a container is in, the one by which it is reached first.

    The engine connects what has the host's own network to no other.
    """
    if HOST_NETWORK in spec.options.networks:
        return (HOST_NETWORK,)
    return tuple(dict.fromkeys(name for name in (spec.network, *spec.options.networks) if name))


def aliases(spec: ContainerSpec, network: str) -> list[str]:
    """Return the names by which it is known in one of its networks, beside its own."""
    name = spec.alias if network == spec.network else spec.known_as
    return [name] if name and network != HOST_NETWORK else []  # the host's knows no names


def parse_port(text: str) -> Published:
    """Read `8080:80`, `127.0.0.1:8080:80` or `[::1]:53:53/udp`."""
    ports, _, protocol = text.partition("/")
    rest, _, container = ports.rpartition(":")
    address, _, host = rest.rpartition(":")
    return Published(int(host), int(container), protocol or "tcp", address.strip("[]"))
