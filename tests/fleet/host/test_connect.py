"""Reaching a host, and every way in which that fails: each with the host's name and what to do."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lockship.host.channel import ChannelSocket
from lockship.host.connect import connect
from lockship.host.errors import HostError
from lockship.host.hostkeys import fingerprint
from lockship.host.server import Server
from lockship.lock.model import Host
from tests.fleet.host.conftest import Connect, host_of, spec
from tests.harness import Fleet, until


@contextmanager
def failing(kind: str, host: str, within: float) -> Iterator[list[HostError]]:
    """The block must raise a HostError of this kind, in time, with a hint and nothing odd in it."""
    begin = time.monotonic()
    caught: list[HostError] = []
    with pytest.raises(HostError) as error:
        yield caught
    took = time.monotonic() - begin
    caught.append(error.value)
    assert (error.value.kind, error.value.host) == (kind, host), error.value.message
    assert error.value.message.startswith(f"{host}: ")
    assert error.value.hint
    assert took < within, f"{error.value.message} after {took:.1f} s"


def test_an_engine_that_ended_before_it_was_asked_says_why(
    as_user: Fleet, to: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockship.host.ssh._DIAL_ENGINE", "exec no-such-docker")
    dialled = to(as_user.hosts[0])._link.dial_engine(10)
    assert isinstance(dialled, ChannelSocket)
    until(lambda: bool(dialled.channel.closed), 10, "the channel's end")
    with failing("no-docker", "web1", within=5):
        dialled.sendall(b"GET /_ping HTTP/1.1\r\n\r\n")


def test_by_alias_address_user_and_port(as_user: Fleet) -> None:
    host = as_user.hosts[0]
    for name, user in ((host.name, None), (host.address, "root")):
        with connect(name, Host(user=user, keys=host_of(host).keys), timeout=10) as server:
            assert server.containers({}) == []
            assert server.name == name
    keys = tuple(host.host_keys)
    with connect(host.name, Host(user="deploy", port=22, keys=keys), timeout=10) as server:
        process = server.spawn(["id", "-un"])
        assert process.readline(5) == b"deploy\n"
        assert server.containers({}) == []


def test_a_host_that_is_down(as_user: Fleet) -> None:
    host = as_user.hosts[0]
    host.stop_sshd()
    pinned = host_of(host)
    with failing("unreachable", "web1", 3) as caught:
        connect("web1", Host(user="deploy", port=22, keys=pinned.keys), timeout=2)
    assert caught[0].hint == "see whether it is up: ssh -p 22 deploy@web1 true"
    with failing("unreachable", "no-such-host.invalid", 5):
        connect("no-such-host.invalid", host_of(host), timeout=5)


def test_a_host_off_the_network(as_user: Fleet) -> None:
    host = as_user.hosts[0]
    host.drop_network()
    with failing("unreachable", "web1", 3):
        connect("web1", host_of(host), timeout=1.5)


def test_a_host_that_accepts_and_never_speaks(as_user: Fleet) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with failing("frozen", "127.0.0.1", 3) as caught:
            connect("127.0.0.1", Host(port=port, keys=host_of(as_user.hosts[0]).keys), timeout=1)
    assert "within 1 s" in caught[0].message


def test_a_host_that_speaks_something_else(as_user: Fleet) -> None:
    keys = host_of(as_user.hosts[0]).keys
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            connection, _ = other.accept()
            connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        with failing("unreachable", "127.0.0.1", 3):
            connect("127.0.0.1", Host(port=other.getsockname()[1], keys=keys), timeout=2)


def test_a_host_that_is_frozen(as_user: Fleet) -> None:
    host = as_user.hosts[0]
    host.freeze()
    with failing("frozen", "web1", 3):
        connect("web1", host_of(host), timeout=1.5)


def test_an_unknown_host_key(as_user: Fleet) -> None:
    with failing("host-key", "web1", 1) as caught:
        connect("web1", Host(), timeout=5)
    assert "unknown" in caught[0].message


def test_a_changed_host_key(as_user: Fleet) -> None:
    host = as_user.hosts[0]
    before = host_of(host)
    host.rotate_host_key()
    with failing("host-key", "web1", 3) as caught:
        connect("web1", before, timeout=5)
    for key in (*before.keys, host.host_keys[0]):
        assert fingerprint_of(key) in caught[0].message
    # While a key is being replaced both are pinned, in any order.
    both = Host(keys=(*before.keys, *host.host_keys))
    with connect("web1", both, timeout=5) as server:
        server.containers({})


def test_one_pinned_key_of_several_is_enough(as_user: Fleet) -> None:
    for key in as_user.hosts[0].host_keys:
        with connect("web1", Host(keys=(key,)), timeout=5) as server:
            server.containers({})


def fingerprint_of(key: str) -> str:
    told = subprocess.run(
        ["ssh-keygen", "-lf", "-"], input=key + "\n", capture_output=True, text=True, check=True
    )
    return told.stdout.split()[1]


def test_fingerprints_are_openssh_s(as_user: Fleet) -> None:
    import base64

    key = as_user.hosts[0].host_keys[0]
    assert fingerprint(base64.b64decode(key.split()[1])) == fingerprint_of(key)


@pytest.mark.parametrize("passphrase", ["", "secret words"])
def test_a_key_that_is_refused_or_locked(
    as_user: Fleet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, passphrase: str
) -> None:
    host = as_user.hosts[0]
    (tmp_path / ".ssh").mkdir()
    argv = [
        "ssh-keygen",
        "-q",
        "-t",
        "ed25519",
        "-N",
        passphrase,
        "-f",
        str(tmp_path / ".ssh/id_ed25519"),
    ]
    subprocess.run(argv, check=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    with failing("authentication", host.address, 4) as caught:
        connect(host.address, Host(user="root", keys=host_of(host).keys), timeout=5)
    assert ("ssh-add" in caught[0].hint) is bool(passphrase)


def test_through_a_jump_host(as_user: Fleet) -> None:
    jump, target = as_user.hosts[:2]
    config = as_user.home.ssh_config
    config.write_text(f"Host {target.name}\n  ProxyJump {jump.name}\n\n{config.read_text()}")
    with connect(target.name, host_of(target), timeout=10) as server:
        process = server.spawn(["sh", "-c", "echo $SSH_CLIENT"])
        assert process.readline(5).split()[0].decode() == jump.address
        assert server.containers({}) == []
    as_user.home.known_hosts.write_text("")
    with failing("host-key", target.name, 5) as caught:
        connect(target.name, host_of(target), timeout=5)
    assert "jump host" in caught[0].message


def test_through_a_proxy_command_and_an_included_file(as_user: Fleet, tmp_path: Path) -> None:
    target = as_user.hosts[1]
    included = as_user.home.path / ".ssh/more.conf"
    included.write_text(
        f"Host behind\n  HostName {target.address}\n  User root\n  ProxyCommand busybox nc %h %p\n"
    )
    config = as_user.home.ssh_config
    config.write_text(f"Include more.conf\n{config.read_text()}")
    with connect("behind", host_of(target), timeout=10) as server:
        assert server.containers({}) == []


def test_a_host_without_docker(as_user: Fleet) -> None:
    with as_user.extra_host("bare", docker=False) as host:
        with connect("bare", host_of(host), timeout=5) as server:
            server.write_file("fine", b"")
            with failing("no-docker", "bare", 5) as caught:
                server.containers({})
        assert "install Docker" in caught[0].hint


def test_an_engine_that_is_not_running(as_user: Fleet, to: Connect) -> None:
    host = as_user.hosts[0]
    host.stop_engine()
    with failing("no-docker", "web1", 5) as caught:
        to(host).containers({})
    assert "systemctl start docker" in caught[0].hint


def test_a_user_who_may_not_use_docker(as_user: Fleet) -> None:
    host = as_user.hosts[0]
    host.run("chmod", "600", "/run/docker.sock")
    host.run("chown", "root:root", "/run/docker.sock")
    with connect("web1", Host(user="deploy", keys=host_of(host).keys), timeout=5) as server:
        with failing("no-docker", "web1", 5) as caught:
            server.containers({})
        assert "usermod" in caught[0].hint
    host.run("chmod", "660", "/run/docker.sock")
    host.run("chgrp", "docker", "/run/docker.sock")


@pytest.mark.parametrize("how", ["stop_engine", "kill_engine"])
def test_an_engine_that_stops_in_the_middle(as_user: Fleet, web1: Server, how: str) -> None:
    web1.create(spec("box", "busybox:1.36", "sleep", "100"))
    web1.start("box")
    timer = threading.Timer(0.5, getattr(as_user.hosts[0], how))
    timer.start()
    try:
        # Cut off while it answers, or asked when it is no more: which one is a matter of moments.
        with pytest.raises(HostError) as caught:
            web1.stop("box", 60)  # the program ignores SIGTERM, so this takes long
            while True:
                web1.containers({})
    finally:
        timer.join()
    assert caught.value.kind in ("gone", "no-docker")
    assert caught.value.host == "web1"
    as_user.hosts[0].start_engine()
    assert [c.name for c in web1.containers({})] == ["box"], "the same connection works again"


@pytest.mark.parametrize("what", ["sshd", "host", "network"])
def test_a_freeze_in_the_middle(as_user: Fleet, to: Connect, what: str) -> None:
    host = as_user.hosts[0]
    server = to(host)
    server._timeout = 1.5
    server.containers({})
    {"sshd": host.freeze_sshd, "host": host.freeze, "network": host.drop_network}[what]()
    with failing("frozen", "web1", 4):
        server.containers({})


def test_a_freeze_before_a_new_channel(as_user: Fleet) -> None:
    host = as_user.hosts[0]
    with connect("web1", host_of(host), timeout=1.5) as server:
        host.freeze_sshd()
        with failing("frozen", "web1", 4):
            server.spawn(["true"])
        with failing("gone", "web1", 4):
            server.read_file("x")


def test_closed_connections_leave_nothing_behind(as_user: Fleet) -> None:
    before = threading.active_count()
    for _ in range(2):
        servers = [connect(h.name, host_of(h), timeout=10) for h in as_user.hosts]
        for server in servers:
            server.containers({})
            server.close()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before
