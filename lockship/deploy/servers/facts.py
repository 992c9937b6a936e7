"""What a host tells of itself, by one small program for the shell that every host has.

The program is a constant: nothing of a lock or of a host is pasted into it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from lockship.deploy import names
from lockship.deploy.accessory.labels import OWNER
from lockship.errors import LockshipError
from lockship.host.process import Process
from lockship.host.server import Server
from lockship.host.types import Container, EngineInfo

_PATIENCE: Final = 20.0  # seconds for one line of what it says
_MOST_LINES: Final = 5000  # a host with more sockets than that is told of as far as this goes
_LISTENING: Final = "0A"  # proc(5), /proc/net/tcp: the state TCP_LISTEN of include/net/tcp_states.h
# os-release(5); df -P: POSIX, in blocks of 1,024 bytes with -k.
_ASK: Final = r"""
echo ready
read -r _
echo "now $(date +%s)"
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
for file in /etc/os-release /usr/lib/os-release; do
    [ -r "$file" ] && { sed -n -e 's/^ID=/os ID /p' -e 's/^ID_LIKE=/os ID_LIKE /p' \
        -e 's/^PRETTY_NAME=/os PRETTY_NAME /p' "$file"; break; }
done
echo "machine $(uname -m)"
echo "user $(id -un) $(id -u)"
echo "groups $(id -Gn)"
[ "$(id -u)" = 0 ] || { sudo -n true 2>/dev/null && echo "sudo yes"; }
for name in docker flock systemctl rc-service apt-get dnf apk; do
    command -v "$name" >/dev/null 2>&1 && echo "tool $name"
done
[ -d /run/systemd/system ] && echo "init systemd"
for folder in "$HOME" "$1"; do
    while [ -n "$folder" ] && [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
    [ -n "$folder" ] && df -Pk "$folder" 2>/dev/null | sed -n '2s/^/disk /p'
done
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | sed -n 's/^ *[0-9]*: /socket /p'
"""


class Disk(Struct, frozen=True):
    """A file system: the folder that it is mounted on, and what is free there, in bytes."""

    mount: str
    free: int


class Facts(Struct, frozen=True):
    """A host as it tells of itself. Only what it said: '' and none where it said nothing.

    `clock` is how many seconds its clock is ahead of this machine's, `trip` how many seconds a
    question and its answer take. `listening` are the TCP ports with a listener on the host,
    Docker's own among them.
    """

    os: str = ""
    family: tuple[str, ...] = ()
    machine: str = ""
    user: str = ""
    root: bool = False
    sudo: bool = False
    groups: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    systemd: bool = False
    disks: tuple[Disk, ...] = ()
    listening: frozenset[int] = frozenset()
    clock: float = 0.0
    trip: float = 0.0


def ask(server: Server, folder: str) -> Facts:
    """Ask a host. `folder` is where its engine keeps images ('' where that isn't known)."""
    process = server.spawn(["sh", "-c", _ASK, "lockship", folder])
    try:
        lines = [_line(process, server)]
        began = time.monotonic()
        process.write(b"\n")
        while (line := _line(process, server)) and len(lines) < _MOST_LINES:
            if len(lines) == 1:
                trip = time.monotonic() - began
                here = time.time() - trip / 2
            lines.append(line)
    finally:
        process.close()
    if len(lines) == 1:
        raise LockshipError(f"{server.name}: its shell says nothing.")
    return parse(lines, here=here, trip=trip)


def _line(process: Process, server: Server) -> str:
    try:
        return process.readline(_PATIENCE).decode(errors="replace").rstrip("\n")
    except TimeoutError as error:
        raise LockshipError(f"{server.name}: its shell doesn't answer: {error}.") from error


def parse(lines: list[str], *, here: float = 0.0, trip: float = 0.0) -> Facts:
    """Read what the program said; what can't be read is passed over."""
    said: dict[str, list[str]] = {}
    for line in lines:
        key, _, rest = line.partition(" ")
        said.setdefault(key, []).append(rest)
    pairs = (each.partition(" ") for each in said.get("os", []))
    os_release = {key: value.strip("\"'") for key, _, value in pairs}
    user = said.get("user", [""])[0].split()
    now = said.get("now", [""])[0]
    return Facts(
        os=os_release.get("PRETTY_NAME", ""),
        family=tuple(f"{os_release.get('ID', '')} {os_release.get('ID_LIKE', '')}".split()),
        machine=said.get("machine", [""])[0],
        user=user[0] if user else "",
        root=user[1:] == ["0"],
        sudo="sudo" in said,
        groups=tuple(said.get("groups", [""])[0].split()),
        tools=tuple(said.get("tool", [])),
        systemd="init" in said,
        disks=tuple(dict.fromkeys(_disks(said.get("disk", [])))),
        listening=frozenset(_ports(said.get("socket", []))),
        clock=int(now) + 0.5 - here if _is_number(now) and here else 0.0,
        trip=trip,
    )


def _is_number(text: str) -> bool:
    """Tell whether a host said a number that can be true: Python reads no endless ones."""
    return text.isdecimal() and len(text) < 19


def _disks(lines: list[str]) -> Iterator[Disk]:
    """Read lines of `df -Pk`: file system, blocks, used, available, capacity, mounted on."""
    for line in lines:
        fields = line.split(None, 5)
        if len(fields) == 6 and _is_number(fields[3]):
            yield Disk(fields[5], int(fields[3]) * 1024)


def _ports(lines: list[str]) -> Iterator[int]:
    """Read lines of /proc/net/tcp: local address, remote address, state, ..."""
    for line in lines:
        fields = line.split()
        if len(fields) > 2 and fields[2] == _LISTENING:
            try:
                yield int(fields[0].rpartition(":")[2], 16)
            except ValueError:
                continue


class Seen(Struct, frozen=True):
    """A host that was looked at: its facts, its engine, and the ports that containers publish.

    `engine_error` says why there is no engine; `holders` are (port, container, project).
    """

    host: str
    facts: Facts
    engine: EngineInfo | None = None
    engine_error: str = ""
    engine_hint: str = ""
    holders: tuple[tuple[int, str, str], ...] = ()


def see(server: Server) -> Seen:
    """Look at a host: a missing engine is a finding, not an error."""
    try:
        engine = server.engine_info()
        holders = tuple(
            (port.host_port, each.name, _project(each))
            for each in server.containers({})
            for port in each.published
            if port.protocol == "tcp"
        )
    except LockshipError as error:
        said = error.message.removeprefix(f"{server.name}: ")
        return Seen(server.name, ask(server, ""), None, said, error.hint)
    return Seen(server.name, ask(server, engine.folder), engine, holders=holders)


def _project(container: Container) -> str:
    return container.labels.get(names.PROJECT) or container.labels.get(OWNER, "")
