"""What people have in their ssh configuration and agents."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lockship.host.connect import connect
from lockship.host.errors import HostError
from lockship.lock.model import Host
from tests.fleet.host.conftest import host_of
from tests.harness import Fleet


def works(name: str, host: Host) -> bool:
    with connect(name, host, timeout=5) as server:
        return server.list_folder("nowhere") == []


@contextmanager
def relay(family: socket.AddressFamily, listen: str, target: str) -> Iterator[int]:
    """Pass connections on to a host's sshd; gives the port."""

    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
        except OSError:
            return
        finally:
            for each in (source, sink):
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    with socket.create_server((listen, 0), family=family) as server:

        def serve() -> None:
            while True:
                try:
                    inside, _ = server.accept()
                except OSError:
                    return
                outside = socket.create_connection((target, 22))
                for pair in ((inside, outside), (outside, inside)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_an_ipv6_literal(as_user: Fleet) -> None:
    host = as_user.hosts[0]
    with relay(socket.AF_INET6, "::1", host.address) as port:
        assert works("::1", Host(user="root", port=port, keys=host_of(host).keys))


def test_the_lock_s_port_wins_and_reaches_the_proxy_command(as_user: Fleet) -> None:
    host = as_user.hosts[0]
    config = as_user.home.ssh_config
    block = "Host odd\n  HostName 127.0.0.1\n  Port 9\n  User nobody\n"
    with relay(socket.AF_INET, "127.0.0.1", host.address) as port:
        wanted = Host(user="root", port=port, keys=host_of(host).keys)
        config.write_text(block + config.read_text())
        assert works("odd", wanted)
        config.write_text("Host odd\n  ProxyCommand busybox nc %h %p\n" + config.read_text())
        assert works("odd", wanted)


def test_a_proxy_command_that_is_not_there(as_user: Fleet) -> None:
    config = as_user.home.ssh_config
    config.write_text("Host web1\n  ProxyCommand no-such-program %h\n" + config.read_text())
    with pytest.raises(HostError, match="no-such-program") as caught:
        works("web1", host_of(as_user.hosts[0]))
    assert caught.value.kind == "unreachable"


def test_an_identity_file_that_is_missing_is_passed_over(as_user: Fleet) -> None:
    config = as_user.home.ssh_config
    config.write_text("Host *\n  IdentityFile ~/.ssh/missing\n" + config.read_text())
    assert works("web1", host_of(as_user.hosts[0]))


@pytest.fixture
def agent(as_user: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """An agent with eight other keys before the right one, which is gone from the disk."""
    path = str(tmp_path / "agent")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    monkeypatch.setenv("SSH_AUTH_SOCK", path)
    key = as_user.home.key
    content = key.read_bytes()
    try:
        while not Path(path).exists():
            process.poll()
        for index in range(8):
            other = str(tmp_path / f"key{index}")
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
            subprocess.run(["ssh-add", "-q", other], check=True)
        subprocess.run(["ssh-add", "-q", str(key)], check=True)
        key.unlink()
        yield as_user
    finally:
        key.write_bytes(content)
        key.chmod(0o600)
        process.kill()
        process.wait()


def test_identities_only_takes_the_agent_s_right_key(agent: Fleet) -> None:
    config = agent.home.ssh_config
    config.write_text("Host *\n  IdentitiesOnly yes\n" + config.read_text())
    assert works("web1", host_of(agent.hosts[0]))


def test_too_many_keys_in_the_agent_is_told(agent: Fleet) -> None:
    with pytest.raises(HostError) as caught:
        works("web1", host_of(agent.hosts[0]))
    assert caught.value.kind == "authentication"


def test_a_shell_that_prints(as_user: Fleet) -> None:
    host = as_user.hosts[0]
    (host.home / ".bashrc").write_text("echo Welcome to web1\n")
    shell = host.run("getent", "passwd", "root").stdout.strip().rpartition(":")[2]
    if not shell.endswith("bash"):
        host.run("sed", "-i", "s#^root:.*#root:x:0:0:root:/root:/bin/bash#", "/etc/passwd")
    with connect("web1", host_of(host), timeout=5) as server:
        with pytest.raises(HostError, match="prints something") as caught:
            server.containers({})
        assert ".bashrc" in caught.value.hint


def test_an_engine_by_tcp(as_user: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    from lockship.host.connect import local

    path = as_user.engine.url.removeprefix("unix://")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            inside, _ = server.accept()
            outside = socket.socket(socket.AF_UNIX)
            outside.connect(path)

            def pump(source: socket.socket, sink: socket.socket) -> None:
                while data := source.recv(1 << 16):
                    sink.sendall(data)

            threading.Thread(target=pump, args=(inside, outside), daemon=True).start()
            pump(outside, inside)

        threading.Thread(target=serve, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{port}")
        with local() as here:
            assert here.image("busybox:1.36") is not None
