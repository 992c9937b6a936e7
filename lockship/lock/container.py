"""What the engine is told of a container beside the everyday: `[roles.NAME.options]`.

One table for whatever makes containers. Its keys are the long options of `docker run`, in the
plural where there can be several, and an absent key leaves it to the engine: so a lock without
options says nothing of them. What each becomes in the engine's API: `host/options.py`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, field

from lockship.lock.names import Memory, Seconds
from lockship.lock.pattern import text
from lockship.lock.table import Table

HOST_NETWORK: Final = "host"  # the engine's own: no network, but the host's interfaces
_PATH = r"/[^:,\x00-\x1f\x7f]*"

NetworkName = Annotated[
    str,
    text(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", "a network's name: letters, digits, '_', '.', '-'"),
]
# user[:group], by name or number, as in a Dockerfile's USER.
ContainerUser = Annotated[
    str,
    text(
        r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,31})?",
        "a user, with a group behind if wanted, such as '1000:1000' or 'app'",
    ),
]
GroupName = Annotated[
    str, text(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}", "a group by name or number, such as 'video'")
]
AbsolutePath = Annotated[str, text(_PATH, "an absolute path in the container, such as '/app'")]
Hostname = Annotated[
    str,
    text(
        r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*",
        "a host name: letters, digits, inner dashes and dots",
    ),
]
_ADDRESS = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"
Address = Annotated[str, text(_ADDRESS, "an address, such as '10.0.0.5' or 'fd00::5'")]
HostAddress = Annotated[
    str,
    text(
        rf"host-gateway|{_ADDRESS}",
        "an address, such as '10.0.0.5', or 'host-gateway' for the host itself",
    ),
]
Capability = Annotated[
    str, text(r"[A-Z]+(?:_[A-Z]+)*", "a capability without CAP_, such as 'NET_ADMIN', or 'ALL'")
]
# The engine's client would read `seccomp=FILE` on the machine that deploys: it isn't in the lock.
SecurityOption = Annotated[
    str,
    text(
        r"no-new-privileges|seccomp=unconfined|apparmor=[A-Za-z0-9_./-]+|label=[A-Za-z0-9_.:,-]+",
        "'no-new-privileges', 'seccomp=unconfined', 'apparmor=PROFILE' or 'label=...'",
    ),
]
Device = Annotated[
    str,
    text(
        rf"/dev/[^:,\x00-\x20\x7f]+(?::{_PATH})?(?::[rwm]{{1,3}})?",
        "a device such as '/dev/ttyUSB0', '/dev/sda:/dev/xvda' or '/dev/snd:/dev/snd:rw'",
    ),
]
Tmpfs = Annotated[
    str,
    text(
        rf"{_PATH}(?::[A-Za-z0-9=,_-]+)?",
        "a path in the container with options behind if wanted, such as '/run:size=64m,mode=755'",
    ),
]
UlimitName = Annotated[
    str,
    text(
        "core|cpu|data|fsize|locks|memlock|msgqueue|nice|nofile|nproc|rss|rtprio|rttime|sigpending|stack",
        "a limit's name, such as 'nofile' or 'nproc'",
    ),
]
Ulimit = Annotated[
    str,
    text(
        r"(?:-1|[0-9]{1,18})(?::(?:-1|[0-9]{1,18}))?",
        "a limit in quotes such as '65536' or '1024:65536' (soft:hard); '-1' is none",
    ),
]
SysctlName = Annotated[
    str,
    text(r"[a-z0-9_-]+(?:[./][A-Za-z0-9_-]+)+", "a kernel parameter such as 'net.core.somaxconn'"),
]
Signal = Annotated[
    str,
    text(
        r"SIG(?:HUP|INT|QUIT|ABRT|KILL|USR1|USR2|ALRM|TERM|CONT|WINCH|PWR|RTM(?:IN|AX)(?:[+-][0-9]{1,2})?)",
        "a signal such as 'SIGTERM', 'SIGQUIT' or 'SIGINT'",
    ),
]
LogDriver = Annotated[
    str,
    text(r"[a-z0-9][a-z0-9_./:-]{0,127}", "a log driver such as 'json-file', 'local', 'syslog'"),
]
Cpuset = Annotated[
    str,
    text(
        r"[0-9]{1,4}(?:-[0-9]{1,4})?(?:,[0-9]{1,4}(?:-[0-9]{1,4})?)*",
        "cores such as '0-3' or '0,2'",
    ),
]
RuntimeName = Annotated[
    str, text(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", "a runtime of the engine, such as 'nvidia'")
]
Word = Annotated[str, text(r"[^\x00]*", "text")]


class ContainerOptions(Table, frozen=True):
    """How the engine makes a container. Times are in seconds; an absent key is left to the engine.

    `networks` are made where they aren't there; the container is in them instead of the engine's
    default one. Where it is `host` alone, it is in none and has the host's own interfaces. The
    `health_*` are those of the engine's own HEALTHCHECK.
    """

    user: ContainerUser | None = None
    group_add: tuple[GroupName, ...] = ()
    working_dir: AbsolutePath | None = None
    entrypoint: tuple[Word, ...] = ()
    init: bool | None = None
    stop_signal: Signal | None = None

    networks: tuple[NetworkName, ...] = ()
    hostname: Hostname | None = None
    extra_hosts: dict[Hostname, HostAddress] = field(default_factory=dict)
    dns: tuple[Address, ...] = ()
    dns_search: tuple[Hostname, ...] = ()

    read_only: bool | None = None
    tmpfs: tuple[Tmpfs, ...] = ()
    shm_size: Memory | None = None
    devices: tuple[Device, ...] = ()
    gpus: Annotated[int, Meta(ge=1, le=64)] | Literal["all"] | None = None
    runtime: RuntimeName | None = None

    privileged: bool | None = None
    cap_add: tuple[Capability, ...] = ()
    cap_drop: tuple[Capability, ...] = ()
    security_opt: tuple[SecurityOption, ...] = ()
    pid: Literal["host"] | None = None
    ipc: Literal["host", "private", "shareable"] | None = None
    sysctls: dict[SysctlName, Word] = field(default_factory=dict)

    memory_reservation: Memory | None = None
    memory_swap: Memory | None = None
    cpu_shares: Annotated[int, Meta(ge=2, le=262144)] | None = None
    cpuset_cpus: Cpuset | None = None
    pids_limit: Annotated[int, Meta(ge=1, le=4194304)] | None = None
    oom_score_adj: Annotated[int, Meta(ge=-1000, le=1000)] | None = None
    ulimits: dict[UlimitName, Ulimit] = field(default_factory=dict)

    log_driver: LogDriver | None = None
    log_options: dict[str, Word] = field(default_factory=dict)

    health_command: tuple[Word, ...] = ()
    health_interval: Seconds | None = None
    health_timeout: Seconds | None = None
    health_retries: Annotated[int, Meta(ge=1, le=1000)] | None = None
    health_start_period: Seconds | None = None
    no_healthcheck: bool | None = None
