"""The deploy mutex: held by one, told by whom, free soon after its holder's end."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lockship.deploy.holder import Said, holder
from lockship.deploy.mutex import Mutex, MutexHeld, MutexLost, hold
from lockship.host.connect import connect, local
from lockship.host.errors import HostError
from lockship.host.server import Server
from lockship.lock.model import Host
from tests.fleet.host.conftest import Connect, host_of
from tests.harness import Fleet, until

PATH = ".lockship/shop/mutex"
INFO = b'{"performer":"ada@laptop","since":"2026-01-01T10:00:00","version":"4f2a"}'
LEASE = 2.0

_HOLDER = """\
import sys, time
from lockship.deploy.mutex import hold
from lockship.host.connect import connect
from lockship.lock.model import Host
server = connect(sys.argv[1], Host(keys=tuple(sys.argv[3:])), timeout=10)
mutex = hold(server, ".lockship/shop/mutex", b'{"performer":"other"}', lease=float(sys.argv[2]))
print("held", flush=True)
while True:
    time.sleep(0.1)
    mutex.check()
"""


@contextmanager
def holding(fleet: Fleet, lease: float) -> Iterator["subprocess.Popen[bytes]"]:
    """Another process that holds the mutex."""
    host = fleet.hosts[0]
    argv = [sys.executable, "-c", _HOLDER, host.name, str(lease), *host.host_keys]
    process = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=fleet.env()
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def take(server: Server) -> Mutex:
    return hold(server, PATH, INFO, lease=LEASE)


def free(server: Server) -> bool:
    try:
        take(server).release()
    except MutexHeld:
        return False
    return True


def test_one_holds_it_and_others_are_told_who(as_user: Fleet, web1: Server, to: Connect) -> None:
    second = to(as_user.hosts[0])
    assert holder(second, PATH) is None
    with take(web1) as mutex:
        for _ in range(6):  # longer than the lease: heartbeats keep it
            time.sleep(LEASE / 4)
            mutex.check()
        with pytest.raises(
            MutexHeld, match="ada@laptop, since 2026-01-01T10:00:00, version 4f2a"
        ) as caught:
            take(second)
        assert caught.value.info == INFO
        seen = holder(second, PATH)
        assert seen is not None
        assert seen.info == INFO
        assert seen.said == Said("ada@laptop", "2026-01-01T10:00:00", "4f2a")
        assert 0 <= seen.silent <= LEASE  # heartbeats are seen, though whole seconds are counted
    assert holder(second, PATH) is None
    assert free(second)


def test_many_at_once_only_one_wins(as_user: Fleet, to: Connect) -> None:
    servers = [to(as_user.hosts[0]) for _ in range(5)]
    won: list[Mutex] = []
    lost: list[MutexHeld] = []

    def try_it(server: Server) -> None:
        try:
            won.append(take(server))
        except MutexHeld as error:
            lost.append(error)

    threads = [threading.Thread(target=try_it, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 4)
    assert {error.info for error in lost} == {INFO}
    won[0].release()


def test_free_soon_after_kill_9(as_user: Fleet, web1: Server) -> None:
    with holding(as_user, lease=60) as other:
        assert not free(web1)
        other.kill()
        until(lambda: free(web1), 20, "the mutex, long before the lease ends")


def test_a_frozen_holder_loses_it_after_the_lease_and_knows(as_user: Fleet, web1: Server) -> None:
    with holding(as_user, LEASE) as other:
        os.kill(other.pid, signal.SIGSTOP)
        took = until(lambda: free(web1), 30, "the mutex")
        assert took > LEASE / 2, "not before the lease could have ended"
        os.kill(other.pid, signal.SIGCONT)
        _, said = other.communicate(timeout=30)
        assert b"MutexLost" in said


def test_a_holder_without_network_loses_it(as_user: Fleet, to: Connect) -> None:
    host = as_user.hosts[0]
    mutex = take(to(host))
    mutex.check()
    host.drop_network()
    until(lambda: mutex.lost, LEASE + 5, "the loss to be noticed")
    with pytest.raises(MutexLost, match="web1: the mutex was lost"):
        mutex.check()
    time.sleep(1)
    host.restore_network()
    mutex.release()
    until(lambda: free(to(host)), 30, "the mutex")


def test_a_slow_line_full_of_data_does_not_lose_it(as_user: Fleet) -> None:
    """Half a megabyte a second, and an image on its way: heartbeats must not wait in line."""
    host = as_user.hosts[0]
    with slow_line(host.address, 500_000) as port:
        wanted = Host(user="root", port=port, keys=host_of(host).keys)
        with connect("127.0.0.1", wanted, timeout=20) as server, take(server) as mutex:
            process = server.spawn(["sh", "-c", "cat >/dev/null"])
            end = time.monotonic() + 3 * LEASE
            while time.monotonic() < end:
                process.write(bytes(1 << 16))
                mutex.check()
            process.close()


@contextmanager
def slow_line(target: str, rate: int) -> Iterator[int]:
    """Pass a connection on to a host's sshd, `rate` bytes a second of it; gives the port."""

    def pump(source: socket.socket, sink: socket.socket, delay: float) -> None:
        try:
            while data := source.recv(1 << 13):
                time.sleep(len(data) * delay)
                sink.sendall(data)
        except OSError:
            return

    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            inside, _ = server.accept()
            outside = socket.create_connection((target, 22))
            for source, sink, delay in ((inside, outside, 1 / rate), (outside, inside, 0.0)):
                threading.Thread(target=pump, args=(source, sink, delay), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def test_a_stopped_sshd_is_a_lost_mutex(as_user: Fleet, web1: Server) -> None:
    mutex = take(web1)
    as_user.hosts[0].stop_sshd()
    until(lambda: mutex.lost, LEASE + 5, "the loss to be noticed")
    mutex.release()


@pytest.mark.parametrize("shell", ["dash", "busybox sh"])
def test_with_other_shells(as_user: Fleet, shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program as such: any POSIX shell runs it; busybox with its own timeout and dd."""
    host = as_user.hosts[0]
    if shell.startswith("busybox"):
        folder = host.root / "root/bin"
        folder.mkdir()
        names = ("sh", "timeout", "dd", "mkdir", "dirname", "cat", "sleep")
        for name in names:
            (folder / name).symlink_to("/usr/bin/busybox")
        (folder / "flock").symlink_to("/usr/bin/flock")  # not in Debian's busybox; in Alpine's
        path = "/root/bin"
    else:
        path = "/usr/bin:/bin"
    with (
        connect(host.name, host_of(host), timeout=5) as server,
        connect(host.name, host_of(host), timeout=5) as second,
    ):
        spawn = server.spawn

        def with_path(argv: list[str]) -> object:
            return spawn(["env", f"PATH={path}", *argv])

        monkeypatch.setattr(server, "spawn", with_path)
        monkeypatch.setattr(second, "spawn", with_path)
        with take(server) as mutex:
            time.sleep(LEASE * 1.5)
            mutex.check()
            with pytest.raises(MutexHeld):
                take(second)
        assert free(second)


def test_without_flock_it_says_so(
    as_user: Fleet, web1: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawn = web1.spawn
    folder = as_user.hosts[0].home / "few"
    folder.mkdir()
    (folder / "sh").symlink_to("/usr/bin/dash")
    monkeypatch.setattr(web1, "spawn", lambda argv: spawn(["env", "PATH=/root/few", *argv]))
    with pytest.raises(HostError, match="no flock command") as caught:
        take(web1)
    assert caught.value.kind == "tools"


def test_where_it_can_not_be_made(web1: Server) -> None:
    with pytest.raises(HostError, match="can't be made at /proc/x/mutex") as caught:
        hold(web1, "/proc/x/mutex", INFO, lease=LEASE)
    assert caught.value.details


def test_on_this_machine(as_user: Fleet) -> None:
    with local() as here, local() as second:
        with take(here) as mutex:
            assert not free(second)
            mutex.check()
        assert free(second)
