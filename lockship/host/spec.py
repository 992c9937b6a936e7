"""From a `ContainerSpec` to the body of `POST /containers/create`. Pure."""

from __future__ import annotations

import math
from typing import Any

from lockship.host.types import ContainerSpec, Published

_UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


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
        "RestartPolicy": {"Name": spec.restart},
    }
    if spec.memory:
        host["Memory"] = parse_memory(spec.memory)
    if spec.cpus:
        host["NanoCpus"] = round(spec.cpus * 1e9)
    env = dict(spec.env) | {name: secret.reveal() for name, secret in spec.secrets.items()}
    body: dict[str, Any] = {
        "Image": spec.image,
        "Env": [f"{name}={value}" for name, value in env.items()],
        "Labels": dict(spec.labels),
        "ExposedPorts": {name: {} for name in bindings},
        "StopTimeout": math.ceil(spec.stop_timeout),
        "HostConfig": host,
    }
    if spec.command:
        body["Cmd"] = list(spec.command)
    if spec.network:
        host["NetworkMode"] = spec.network
        endpoint = {"Aliases": [spec.alias]} if spec.alias else {}
        body["NetworkingConfig"] = {"EndpointsConfig": {spec.network: endpoint}}
    return body


def parse_port(text: str) -> Published:
    """Read `8080:80`, `127.0.0.1:8080:80` or `[::1]:53:53/udp`."""
    ports, _, protocol = text.partition("/")
    rest, _, container = ports.rpartition(":")
    address, _, host = rest.rpartition(":")
    return Published(int(host), int(container), protocol or "tcp", address.strip("[]"))


def parse_memory(text: str) -> int:
    """Read a size such as `512m`, in bytes."""
    number, unit = (text[:-1], text[-1]) if text[-1].isalpha() else (text, "b")
    return int(number) * _UNITS[unit]
