"""What must hold between the values of a container's options, and beside them in its table."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterator
from typing import Final

from lockship.lock.container import HOST_NETWORK
from lockship.lock.shape import Path, Problem
from lockship.prepare.tables import Tables, containers, quoted, strings, table

# capabilities(7), as of Linux 6.1; and what stands for all of them.
_NAMES: Final = """
    ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN
    DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE
    MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP
    SETGID SETPCAP SETUID SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE
    SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG SYSLOG WAKE_ALARM
"""
CAPABILITIES: Final = frozenset(_NAMES.split())
PROXYS_NETWORK: Final = "lockship"
_ENGINES_NETWORKS: Final = frozenset({"bridge", "default", "none"})
_UNITS: Final = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_LISTS: Final = ("networks", "group-add", "dns", "dns-search", "devices", "cap-add", "cap-drop")


def check(tables: Tables) -> Iterator[Problem]:
    """Yield what breaks a rule of the options of roles and accessories."""
    for path, maker in containers(tables):
        yield from check_options(path, maker)


def check_options(path: Path, maker: Tables) -> Iterator[Problem]:
    """Yield what breaks a rule in the `options` of one table that makes containers."""
    options, at = table(maker.get("options")), (*path, "options")
    for key in _LISTS:
        yield from _twice(options.get(key), (*at, key))
    yield from _networks(options, at)
    yield from _host_network(path, maker)
    yield from _addresses(options, at)
    yield from _capabilities(options, at)
    yield from _paths(options, at, maker)
    yield from _sizes(options, at, maker)
    yield from _ulimits(options, at)
    yield from _health(options, at)


def _twice(value: object, at: Path) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, text in strings(value):
        if text in seen:
            yield Problem((*at, index), f"{quoted(text)} again", "each one once")
        seen.add(text)


def _networks(options: Tables, at: Path) -> Iterator[Problem]:
    for index, name in strings(options.get("networks")):
        if name == PROXYS_NETWORK:
            expected = "a network of your own: this one is the proxy's"
        elif name in _ENGINES_NETWORKS:
            expected = "a network of your own: this one is the engine's, and can't be shared so"
        else:
            continue
        yield Problem((*at, "networks", index), quoted(name), expected)


def _host_network(path: Path, maker: Tables) -> Iterator[Problem]:
    """What has the host's own network has no other, and two of it can't listen on one port.

    The new container's probe would be answered by the old one: so the old one stops first.
    """
    names = [name for _, name in strings(table(maker.get("options")).get("networks"))]
    if HOST_NETWORK not in names:
        return
    at = (*path, "options", "networks", names.index(HOST_NETWORK))
    if len(names) > 1:
        yield Problem(at, '"host" beside others', "the host's own network alone, or others")
    if maker.get("proxy") is True:
        yield Problem(at, '"host"', "a network of your own: the proxy doesn't reach the host's")
    elif maker.get("ports"):
        expected = "none: with the host's own network it listens on the host's ports itself"
        yield Problem((*path, "ports"), "ports", expected)
    if path[0] == "roles" and maker.get("proxy") is not True and maker.get("order") != "stop-first":
        expected = "\"stop-first\": two containers can't listen on one port of the host's network"
        yield Problem((*path, "order"), '"start-first"', expected)


def _addresses(options: Tables, at: Path) -> Iterator[Problem]:
    hosts = table(options.get("extra-hosts"))
    texts: list[tuple[Path, object]] = [(("extra-hosts", name), hosts[name]) for name in hosts]
    texts += [(("dns", index), text) for index, text in strings(options.get("dns"))]
    for path, text in texts:
        if isinstance(text, str) and text != "host-gateway" and not _is_address(text):
            yield Problem((*at, *path), quoted(text), "an address, such as '10.0.0.5' or 'fd00::5'")


def _capabilities(options: Tables, at: Path) -> Iterator[Problem]:
    for key in ("cap-add", "cap-drop"):
        for index, name in strings(options.get(key)):
            if name not in CAPABILITIES:
                near = difflib.get_close_matches(name.removeprefix("CAP_"), CAPABILITIES, n=1)
                known = f"'{near[0]}'?" if near else "a capability of Linux, or 'ALL'"
                yield Problem((*at, key, index), quoted(name), known)
    dropped = {name for _, name in strings(options.get("cap-drop"))}
    for index, name in strings(options.get("cap-add")):
        if name in dropped:
            yield Problem((*at, "cap-add", index), quoted(name), "one that cap-drop doesn't take")


def _paths(options: Tables, at: Path, maker: Tables) -> Iterator[Problem]:
    """Nothing is mounted over another thing: the engine would say so on every host."""
    taken = {text.split(":")[1] for _, text in strings(maker.get("volumes")) if ":" in text}
    for index, text in strings(options.get("tmpfs")):
        path = text.partition(":")[0]
        if path in taken:
            expected = "a path that neither a volume nor another tmpfs has"
            yield Problem((*at, "tmpfs", index), quoted(text), expected)
        taken.add(path)


def _sizes(options: Tables, at: Path, maker: Tables) -> Iterator[Problem]:
    memory = _bytes(maker.get("memory"))
    swap, reserved = (_bytes(options.get(key)) for key in ("memory-swap", "memory-reservation"))
    if swap is not None and (memory is None or swap < memory):
        expected = "memory and swap together: at least the role's `memory`, which must be there"
        yield Problem((*at, "memory-swap"), quoted(str(options["memory-swap"])), expected)
    if reserved is not None and memory is not None and reserved > memory:
        expected = "at most the role's `memory`"
        yield Problem(
            (*at, "memory-reservation"), quoted(str(options["memory-reservation"])), expected
        )


def _ulimits(options: Tables, at: Path) -> Iterator[Problem]:
    for name, text in table(options.get("ulimits")).items():
        soft, colon, hard = text.partition(":") if isinstance(text, str) else ("", "", "")
        if colon and _limit(soft) > _limit(hard):
            yield Problem((*at, "ulimits", name), quoted(text), "a soft limit up to the hard one")


def _health(options: Tables, at: Path) -> Iterator[Problem]:
    if options.get("no-healthcheck") is True:
        for key in options:
            if key.startswith("health-"):
                yield Problem((*at, key), "this beside no-healthcheck", "one of the two")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _bytes(value: object) -> int | None:
    if not isinstance(value, str):
        return None
    number, unit = (value[:-1], value[-1]) if value[-1:].isalpha() else (value, "b")
    return int(number) * _UNITS[unit] if number.isdecimal() and unit in _UNITS else None


def _limit(text: str) -> float:
    """Return a limit as a number; '-1' is above all others."""
    number = int(text) if text.lstrip("-").isdecimal() else 0
    return float("inf") if number < 0 else float(number)
