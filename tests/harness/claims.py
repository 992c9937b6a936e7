"""Who owns which fleet number, and the removal of what dead owners left behind.

Fleet N's files are in STATE/N, and its owner holds a lock on STATE/N.lock for as long as it lives.
The kernel lets go of that lock at the owner's death, however it dies; so a folder whose lock is
free is litter, and whoever comes next removes it. Nothing needs to be written down for that:
everything that a fleet makes carries its number.
"""

import fcntl
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.harness import network
from tests.harness.shell import HarnessError, sh, until

STATE = Path("/var/lib/lockship-fleet")
CGROUPS = Path("/sys/fs/cgroup")
NUMBERS = range(1, 255)


@dataclass(frozen=True)
class Claim:
    """The right to use a number, until `release` or death."""

    number: int
    lock: int

    @property
    def folder(self) -> Path:
        return STATE / str(self.number)

    def release(self) -> None:
        """Remove everything that the fleet made, and let others have the number."""
        try:
            destroy(self.number)
        finally:
            os.close(self.lock)


def claim() -> Claim:
    """Take a free number, after removing what dead fleets left behind."""
    sweep()
    for number in NUMBERS:
        lock = _try_lock(number)
        if lock is None:
            continue
        destroy(number)
        if network.free(number):
            os.truncate(lock, 0)
            os.write(lock, f"{os.getpid()}\n".encode())
            (STATE / str(number)).mkdir()
            return Claim(number, lock)
        os.close(lock)
    raise HarnessError("all 254 fleet numbers are taken")


def sweep() -> list[int]:
    """Remove the fleets whose owners are dead; give back their numbers."""
    STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    swept = []
    for number in sorted(_numbers_in_use()):
        lock = _try_lock(number)
        if lock is not None:
            try:
                destroy(number)
            finally:
                os.close(lock)
            swept.append(number)
    return swept


def destroy(number: int) -> None:
    """Remove all traces of a fleet, in whatever state it is. Ask only while holding its lock."""
    names = [path for path in _netns() if path.name.startswith(network.prefix(number))]
    inodes = {path.stat().st_ino for path in names}
    _kill_members(inodes)
    if Path(f"/sys/class/net/{network.Network(number).interface}").exists():
        sh("ip", "link", "delete", network.Network(number).interface)
    for path in names:
        sh("ip", "netns", "delete", path.name)
    folder = STATE / str(number)
    for mountpoint in _mounts_below(folder):
        sh("umount", "--lazy", mountpoint)
    for cgroup in _cgroups(number):
        _remove_cgroup(cgroup)
    if folder.exists():
        shutil.rmtree(folder)


def cgroup_parent(number: int, name: str) -> str:
    """The cgroup, below each hierarchy's root, that holds one engine's containers."""
    return f"/lockship-fleet-{number}/{name}"


def _try_lock(number: int) -> int | None:
    lock = os.open(STATE / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _numbers_in_use() -> set[int]:
    folders = {int(path.name) for path in STATE.iterdir() if path.name.isdigit()}
    names = {path.name.split("-")[1] for path in _netns() if path.name.startswith("lsh-")}
    return folders | {int(name) for name in names if name.isdigit()}


def _netns() -> list[Path]:
    return list(network.NETNS.iterdir()) if network.NETNS.exists() else []


def _kill_members(inodes: set[int]) -> None:
    """Kill what runs in these network namespaces; the death of an init takes containers along."""

    def gone() -> bool:
        members = list(_members(inodes))
        for pid in members:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return not members

    if inodes:
        until(gone, limit=20, what="a dead fleet's processes to end")


def _members(inodes: set[int]) -> Iterator[int]:
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                state = (path / "stat").read_text().rpartition(")")[2].split()[0]
                inode = (path / "ns/net").stat().st_ino
            except OSError:
                continue
            if inode in inodes and state not in "ZX":
                yield int(path.name)


def _mounts_below(folder: Path) -> list[str]:
    mountpoints = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return sorted((m for m in mountpoints if m.startswith(f"{folder}/")), key=len, reverse=True)


def _cgroups(number: int) -> Iterator[Path]:
    name = f"lockship-fleet-{number}"
    for parent in [CGROUPS, *(path for path in CGROUPS.iterdir() if path.is_dir())]:
        if (parent / name).is_dir():
            yield parent / name


def _remove_cgroup(cgroup: Path) -> None:
    def removed() -> bool:
        for folder, _, _ in os.walk(cgroup, topdown=False):
            with suppress(OSError):  # a process that was just killed still counts for a moment
                Path(folder).rmdir()
        return not cgroup.exists()

    until(removed, limit=10, what=f"{cgroup} to be empty")
