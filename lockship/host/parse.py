"""From the Docker Engine API's JSON to this room's types. Pure.

The formats are those of https://docs.docker.com/reference/api/engine/version/v1.41/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from lockship.host.types import (
    Container,
    ContainerState,
    EngineInfo,
    Health,
    ImageInfo,
    ListedImage,
    Published,
)
from lockship.lock.container import HOST_NETWORK
from lockship.lock.platform import plain

Json = dict[str, Any]
_EXITED = re.compile(r"Exited \((\d+)\)")
_LAST_OUTPUT = 2000  # characters of a HEALTHCHECK's output


def container_from_inspect(raw: Json) -> Container:
    """Read `GET /containers/{id}/json`."""
    state, config = raw["State"], raw["Config"]
    health = state.get("Health") or {}
    attempts = health.get("Log") or []
    bindings = (raw.get("HostConfig") or {}).get("PortBindings") or {}
    settings = raw.get("NetworkSettings") or {}
    return Container(
        id=raw["Id"],
        name=raw["Name"].removeprefix("/"),
        image_id=raw["Image"],
        state=cast(ContainerState, state["Status"]),
        labels=config.get("Labels") or {},
        exit_code=state.get("ExitCode") or 0,
        oom_killed=bool(state.get("OOMKilled")),
        error=state.get("Error") or "",
        health=_health(health.get("Status")),
        health_output=(attempts[-1].get("Output") or "").strip()[-_LAST_OUTPUT:]
        if attempts
        else "",
        address=_address(raw),
        # What runs has its real ports under NetworkSettings; what doesn't, only its wishes.
        published=_bindings(settings.get("Ports") or {}) or _bindings(bindings),
        exposed=_exposed(config.get("ExposedPorts")),
        created=raw.get("Created") or "",
        started=state.get("StartedAt") or "",
        restarts=raw.get("RestartCount") or 0,
        pid=state.get("Pid") or 0,
    )


def container_from_list(raw: Json) -> Container:
    """Read one entry of `GET /containers/json`, which has no more than a line's worth.

    `error`, `health_output`, `oom_killed`, `exposed`, `started` and a stopped container's
    `published` aren't in it.
    """
    status = raw.get("Status") or ""
    exited = _EXITED.match(status)
    health = re.search(r"\((?:health: )?(starting|healthy|unhealthy)\)", status)
    ports = {
        Published(
            host_port=port["PublicPort"],
            container_port=port["PrivatePort"],
            protocol=port.get("Type") or "tcp",
            address=_any(port.get("IP")),
        )
        for port in raw.get("Ports") or ()
        if port.get("PublicPort")
    }
    return Container(
        id=raw["Id"],
        name=raw["Names"][0].removeprefix("/") if raw.get("Names") else "",
        image_id=raw["ImageID"],
        state=cast(ContainerState, raw["State"]),
        labels=raw.get("Labels") or {},
        exit_code=int(exited[1]) if exited else 0,
        health=_health(health[1] if health else None),
        address=_address(raw),
        published=tuple(sorted(ports)),
        networks=tuple(sorted((raw.get("NetworkSettings") or {}).get("Networks") or {})),
        created=datetime.fromtimestamp(raw.get("Created") or 0, UTC).isoformat(),
    )


def image_from_inspect(raw: Json) -> ImageInfo:
    """Read `GET /images/{name}/json`."""
    config = raw.get("Config") or {}
    test = (config.get("Healthcheck") or {}).get("Test") or ["NONE"]
    return ImageInfo(
        id=raw["Id"],
        tags=tuple(sorted(raw.get("RepoTags") or ())),
        digests=tuple(sorted(raw.get("RepoDigests") or ())),
        labels=config.get("Labels") or {},
        layers=tuple((raw.get("RootFS") or {}).get("Layers") or ()),
        platform=image_platform(raw),
        size=raw.get("Size") or 0,
        has_healthcheck=test[0] not in ("NONE", ""),
        exposed=_exposed(config.get("ExposedPorts")),
    )


def image_from_list(raw: Json) -> ListedImage:
    """Read one entry of `GET /images/json`; an image without a name is listed as `<none>`."""
    tags, digests = (
        tuple(sorted(name for name in raw.get(key) or () if "<none>" not in name))
        for key in ("RepoTags", "RepoDigests")
    )
    return ListedImage(id=raw["Id"], tags=tags, digests=digests, labels=raw.get("Labels") or {})


def image_platform(raw: Mapping[str, Any]) -> str:
    """Return the platform that an inspected image is for."""
    said = (raw.get("Os"), raw.get("Architecture"), raw.get("Variant"))
    return plain("/".join(str(part) for part in said if part))


def engine_from_info(raw: Json) -> EngineInfo:
    """Read `GET /info`. Its architecture is the kernel's name of it."""
    return EngineInfo(
        version=str(raw.get("ServerVersion") or ""),
        platform=plain(f"{raw.get('OSType') or 'linux'}/{raw.get('Architecture') or ''}"),
        containerd_store="io.containerd" in str(raw.get("DriverStatus") or ""),
        folder=str(raw.get("DockerRootDir") or ""),
    )


def _health(status: str | None) -> Health | None:
    return cast(Health, status) if status in ("starting", "healthy", "unhealthy") else None


def _address(raw: Json) -> str:
    """Return the address in the network that it was made in, where that has one; else another's.

    A container with the host's own network is reached where the host reaches itself.
    """
    networks: Json = (raw.get("NetworkSettings") or {}).get("Networks") or {}
    first = (raw.get("HostConfig") or {}).get("NetworkMode")
    if first == HOST_NETWORK:
        state = raw.get("State")
        running = state == "running" if isinstance(state, str) else (state or {}).get("Running")
        return "127.0.0.1" if running else ""
    in_order = sorted(networks, key=lambda name: name != first)
    found = (networks[n].get("IPAddress") or networks[n].get("GlobalIPv6Address") for n in in_order)
    return next((address for address in found if address), "")


def _bindings(ports: Json) -> tuple[Published, ...]:
    found = set()
    for wanted, bindings in ports.items():
        port, _, protocol = wanted.partition("/")
        for binding in bindings or ():
            if (binding.get("HostPort") or "0") != "0":
                address = _any(binding.get("HostIp"))
                found.add(
                    Published(int(binding["HostPort"]), int(port), protocol or "tcp", address)
                )
    return tuple(sorted(found))


def _any(address: str | None) -> str:
    """'' for all addresses, of either family: Docker publishes on both."""
    return "" if address in (None, "", "0.0.0.0", "::") else address  # noqa: S104


def _exposed(ports: Json | None) -> tuple[int, ...]:
    found = (wanted.partition("/") for wanted in ports or ())
    return tuple(sorted(int(port) for port, _, protocol in found if protocol in ("", "tcp")))
