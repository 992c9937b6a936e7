"""From `ContainerOptions` to the engine's API: what `docker run` does with its long options. Pure.

The formats are those of https://docs.docker.com/reference/api/engine/version/v1.41/.
"""

from __future__ import annotations

from typing import Any, Final

from lockship.lock.container import ContainerOptions

_NANOSECONDS: Final = 1_000_000_000
_UNITS: Final = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}

Json = dict[str, Any]


def config(options: ContainerOptions) -> Json:
    """Return what belongs to the top of the body: what runs in the container, and as whom."""
    return _said(
        User=options.user,
        WorkingDir=options.working_dir,
        Entrypoint=list(options.entrypoint),
        StopSignal=options.stop_signal,
        Hostname=options.hostname,
        Healthcheck=_health(options),
    )


def host_config(options: ContainerOptions) -> Json:
    """Return what belongs to `HostConfig`: what the host gives it, and lets it do."""
    return _said(
        GroupAdd=list(options.group_add),
        Init=options.init,
        ExtraHosts=[f"{name}:{address}" for name, address in options.extra_hosts.items()],
        Dns=list(options.dns),
        DnsSearch=list(options.dns_search),
        ReadonlyRootfs=options.read_only,
        Tmpfs=dict(each.partition(":")[::2] for each in options.tmpfs),
        ShmSize=_size(options.shm_size),
        Devices=[_device(each) for each in options.devices],
        DeviceRequests=_gpus(options.gpus),
        Runtime=options.runtime,
        Privileged=options.privileged,
        CapAdd=list(options.cap_add),
        CapDrop=list(options.cap_drop),
        SecurityOpt=list(options.security_opt),
        PidMode=options.pid,
        IpcMode=options.ipc,
        Sysctls=dict(options.sysctls),
        MemoryReservation=_size(options.memory_reservation),
        MemorySwap=_size(options.memory_swap),
        CpuShares=options.cpu_shares,
        CpusetCpus=options.cpuset_cpus,
        PidsLimit=options.pids_limit,
        OomScoreAdj=options.oom_score_adj,
        Ulimits=[_ulimit(name, limit) for name, limit in options.ulimits.items()],
        LogConfig=_log(options),
    )


def parse_size(text: str) -> int:
    """Read a size such as `512m`, in bytes."""
    number, unit = (text[:-1], text[-1]) if text[-1].isalpha() else (text, "b")
    return int(number) * _UNITS[unit]


def split_device(text: str) -> tuple[str, str, str]:
    """Return a device's path on the host, in the container, and what may be done with it."""
    source, *rest = text.split(":")
    permissions = rest.pop() if rest and not rest[-1].startswith("/") else "rwm"
    return source, rest[0] if rest else source, permissions


def _said(**fields: Any) -> Json:
    """Return the fields that say something: what is absent is left to the engine and the image."""
    return {
        key: value for key, value in fields.items() if value is not None and value not in ([], {})
    }


def _size(text: str | None) -> int | None:
    return None if text is None else parse_size(text)


def _device(text: str) -> Json:
    source, target, permissions = split_device(text)
    return {"PathOnHost": source, "PathInContainer": target, "CgroupPermissions": permissions}


def _gpus(wanted: int | str | None) -> list[Json]:
    if wanted is None:
        return []
    count = -1 if wanted == "all" else wanted  # as `docker run --gpus` says it
    return [{"Driver": "", "Count": count, "Capabilities": [["gpu"]], "Options": {}}]


def _ulimit(name: str, limit: str) -> Json:
    soft, _, hard = limit.partition(":")
    return {"Name": name, "Soft": int(soft), "Hard": int(hard or soft)}


def _log(options: ContainerOptions) -> Json:
    said = {} if options.log_driver is None else {"Type": options.log_driver}
    return said | ({"Config": dict(options.log_options)} if options.log_options else {})


def _health(options: ContainerOptions) -> Json:
    """Return the engine's own HEALTHCHECK; what it doesn't say is the image's."""
    if options.no_healthcheck:
        return {"Test": ["NONE"]}
    return _said(
        Test=["CMD", *options.health_command] if options.health_command else None,
        Interval=_duration(options.health_interval),
        Timeout=_duration(options.health_timeout),
        Retries=options.health_retries,
        StartPeriod=_duration(options.health_start_period),
    )


def _duration(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * _NANOSECONDS)
