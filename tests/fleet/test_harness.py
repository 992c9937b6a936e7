"""The fleet itself: it is what the other tests believe that it is, and it leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from functools import partial
from pathlib import Path

import paramiko
import pytest

from tests.harness import Fleet, HarnessError, TestHost, until
from tests.harness.claims import STATE
from tests.harness.images import archive

REPOSITORY = Path(__file__).resolve().parents[2]

DOCKERFILE = """\
FROM busybox:1.36
ARG TEXT=from-the-arg
RUN --mount=type=cache,target=/cache mkdir /www && echo "$TEXT" > /www/index.html
CMD ["httpd", "-f", "-p", "80", "-h", "/www"]
"""


def connect(
    fleet: Fleet, host: TestHost, user: str = "root", timeout: float = 10
) -> paramiko.SSHClient:
    client = paramiko.SSHClient()
    client.load_host_keys(str(fleet.home.known_hosts))
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    client.connect(
        host.address,
        username=user,
        key_filename=str(fleet.home.key),
        allow_agent=False,
        look_for_keys=False,
        timeout=timeout,
        banner_timeout=timeout,
        auth_timeout=timeout,
    )
    return client


def over_ssh(fleet: Fleet, host: TestHost, command: str, user: str = "root") -> str:
    with connect(fleet, host, user) as client:
        _, stdout, stderr = client.exec_command(command)
        output = stdout.read().decode()
        assert stdout.channel.recv_exit_status() == 0, stderr.read().decode()
        return output


def build(fleet: Fleet, folder: Path, tag: str) -> None:
    (folder / "Dockerfile").write_text(DOCKERFILE)
    fleet.engine.docker("build", "--tag", tag, str(folder))


def get(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/", timeout=5) as answer:
        return str(answer.read().decode()).strip()


def serves(address: str) -> bool:
    try:
        return bool(get(address))
    except OSError:
        return False


def test_hosts_are_separate_servers(fleet: Fleet) -> None:
    assert [over_ssh(fleet, host, "hostname").strip() for host in fleet.hosts] == [
        "web1",
        "web2",
        "web3",
    ]
    over_ssh(fleet, fleet.hosts[0], "touch /root/a /tmp/a /srv/a")
    for folder in ("/root", "/tmp", "/srv"):
        assert over_ssh(fleet, fleet.hosts[0], f"test -e {folder}/a && echo yes").strip() == "yes"
        assert over_ssh(fleet, fleet.hosts[1], f"test -e {folder}/a || echo no").strip() == "no"
        assert not Path(folder, "a").exists()
    assert len({host.docker("info", "--format", "{{.ID}}") for host in fleet.hosts}) == 3


@pytest.mark.parametrize("jump", [(), ("-J", "web1")])
def test_ssh_client_of_the_system_logs_in_by_alias(fleet: Fleet, jump: tuple[str, ...]) -> None:
    command = ["ssh", "-F", str(fleet.ssh_config), "-o", "BatchMode=yes", *jump, "web2", "hostname"]
    done = subprocess.run(command, env=fleet.env(), capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "web2\n"), done.stderr


def test_plain_user_may_use_docker_but_is_not_root(fleet: Fleet) -> None:
    output = over_ssh(
        fleet,
        fleet.hosts[0],
        "id -u; docker ps --quiet; touch /srv/x || echo refused",
        user="deploy",
    )
    assert output.split() == ["1500", "refused"]


def test_changed_host_key_is_rejected(clean_fleet: Fleet) -> None:
    host = clean_fleet.hosts[0]
    assert host.rotate_host_key() == host.host_keys
    with pytest.raises(paramiko.BadHostKeyException):
        connect(clean_fleet, host)
    clean_fleet.write_home()
    connect(clean_fleet, host).close()


def test_image_travels_from_builder_over_registry_to_host(
    clean_fleet: Fleet, tmp_path: Path
) -> None:
    fleet, registry, host = clean_fleet, clean_fleet.registry, clean_fleet.hosts[0]
    assert registry
    tag = f"{registry.address}/shop:1"
    build(fleet, tmp_path, tag)
    with pytest.raises(HarnessError, match="no basic auth"):
        fleet.engine.docker("push", tag)
    pushed = fleet.engine.docker(
        "--config", str(fleet.home.docker_config.parent), "push", "--quiet", tag
    )
    assert pushed
    digest, _ = registry.manifest("shop", "1")

    host.docker(
        "--config",
        str(fleet.home.docker_config.parent),
        "pull",
        f"{registry.address}/shop@{digest}",
    )
    host.docker("run", "--detach", "--publish", "8080:80", f"{registry.address}/shop@{digest}")
    until(
        lambda: serves(f"{host.address}:8080"), 10, "the container to serve on the host's address"
    )
    assert get(f"{host.address}:8080") == "from-the-arg"


def test_containers_of_the_builder_are_reachable(clean_fleet: Fleet) -> None:
    engine = clean_fleet.engine
    engine.docker("network", "create", "shop")
    for network in ("bridge", "shop"):
        serve = "mkdir /www; echo $HOSTNAME > /www/index.html; exec httpd -f -p 80 -h /www"
        name = engine.docker(
            "run", "--detach", "--network", network, "busybox:1.36", "sh", "-c", serve
        ).strip()
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        address = engine.docker("inspect", "--format", form, name).strip()
        until(partial(serves, address), 10, "the container to serve on its own address")
        assert get(address) == name[:12]


def test_python_base_image_runs_python(clean_fleet: Fleet) -> None:
    script = "import ssl, sqlite3, json, http.server, asyncio, ctypes, zlib; print('fine')"
    output = clean_fleet.engine.docker("run", "--rm", "python:3.12-slim", "python", "-c", script)
    assert output == "fine\n"


def test_registry_refuses_pushes_and_comes_back(clean_fleet: Fleet, tmp_path: Path) -> None:
    fleet, registry = clean_fleet, clean_fleet.registry
    assert registry
    config = ("--config", str(fleet.home.docker_config.parent))
    build(fleet, tmp_path, f"{registry.address}/readonly:1")
    registry.read_only()
    with pytest.raises(HarnessError):
        fleet.engine.docker(*config, "push", f"{registry.address}/readonly:1")
    registry.stop()
    with pytest.raises(HarnessError, match="connection refused"):
        fleet.engine.docker(*config, "pull", f"{registry.address}/readonly:1")
    registry.start()
    fleet.engine.docker(*config, "push", f"{registry.address}/readonly:1")


def test_engine_dies_and_comes_back_and_so_do_containers(clean_fleet: Fleet) -> None:
    host = clean_fleet.hosts[0]
    host.docker("load", "--input", str(archive()))
    # Not unless-stopped: to Docker 20.10, a container that ran when dockerd died was stopped.
    run = ("run", "--detach", "--restart=always", "--stop-timeout=1", "busybox:1.36")
    name = host.docker(*run, "sleep", "1000").strip()

    def runs() -> bool:
        return host.docker("ps", "--quiet", "--no-trunc").split() == [name]

    for end in (host.kill_engine, host.stop_engine):
        end()
        assert not host.engine.answers()
        host.start_engine()
        until(runs, 10, "the container to run again")
    (host.home / "kept").touch()
    host.reboot()
    until(runs, 10, "the container to run again")
    assert over_ssh(clean_fleet, host, "ls").split() == ["kept"]


def test_frozen_host_accepts_and_says_nothing(clean_fleet: Fleet) -> None:
    host = clean_fleet.hosts[1]
    for freeze, thaw in ((host.freeze, host.thaw), (host.freeze_sshd, host.thaw_sshd)):
        freeze()
        with (
            socket.create_connection((host.address, 22), timeout=1) as connection,
            pytest.raises(TimeoutError),
        ):
            connection.recv(1)
        thaw()
        connect(clean_fleet, host).close()


def test_frozen_engine_leaves_ssh_alone(clean_fleet: Fleet) -> None:
    host = clean_fleet.hosts[1]
    host.freeze_engine()
    assert over_ssh(clean_fleet, host, "hostname") == "web2\n"
    assert not host.engine.answers()
    host.thaw_engine()
    assert host.engine.answers()


def test_host_without_sshd_refuses_and_without_network_is_silent(clean_fleet: Fleet) -> None:
    host = clean_fleet.hosts[2]
    host.stop_sshd()
    with pytest.raises(paramiko.ssh_exception.NoValidConnectionsError):
        connect(clean_fleet, host)
    host.start_sshd()
    host.drop_network()
    with pytest.raises(TimeoutError):
        connect(clean_fleet, host, timeout=1)
    host.restore_network()
    connect(clean_fleet, host).close()


def test_hosts_with_a_small_disk_and_without_docker(fleet: Fleet) -> None:
    base = fleet.engine.docker
    with fleet.extra_host("tiny", disk="24M") as host:
        archive = host.root / "tmp/busybox.tar"
        base("save", "--output", str(archive), "busybox:1.36")
        host.fill_disk(leave=100_000)
        with pytest.raises(HarnessError, match="no space left"):
            host.docker("load", "--input", str(archive))
        host.empty_disk()
        host.docker("load", "--input", str(archive))
    with fleet.extra_host("bare", docker=False) as host:
        assert over_ssh(fleet, host, "command -v docker || echo none").strip() == "none"
        assert not host.docker_sock.exists()


def test_reset_leaves_an_empty_host(clean_fleet: Fleet) -> None:
    host = clean_fleet.hosts[0]
    host.run("sh", "-c", "mkdir -p /root/.lockship/x; touch /tmp/y")
    host.freeze()
    clean_fleet.reset()
    assert sorted(path.name for path in host.home.iterdir()) == [".ssh"]
    assert host.docker("images", "--quiet") == ""


def test_known_hosts_may_be_hashed_and_the_registry_plain() -> None:
    with Fleet.start(
        hosts=["solo"], tls=False, hashed_known_hosts=True, base_images=False
    ) as fleet:
        host = fleet["solo"]
        assert host.address not in fleet.home.known_hosts.read_text()
        connect(fleet, host).close()
        assert fleet.registry
        with urllib.request.urlopen(f"http://{fleet.registry.address}/v2/", timeout=5) as answer:
            assert answer.status == 200


def test_refuses_where_a_fleet_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(HarnessError, match="must run as root"), Fleet.start():
        pass


@pytest.mark.parametrize("frozen", [False, True])
def test_crash_leaves_nothing_after_the_sweep(frozen: bool) -> None:
    script = (
        "import signal\n"
        "from tests.harness import Fleet\n"
        "from tests.harness.images import archive\n"
        "with Fleet.start(hosts=2) as fleet:\n"
        "    fleet.hosts[0].docker('load', '--input', str(archive()))\n"
        "    fleet.hosts[0].docker('run', '--detach', 'busybox:1.36', 'sleep', '1000')\n"
        f"    {'fleet.hosts[0].freeze()' if frozen else 'pass'}\n"
        "    print(fleet.claim.number, flush=True)\n"
        "    signal.pause()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    number = int(process.stdout.readline())
    assert traces(number)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    until(lambda: not processes(number), 10, "the dead fleet's processes to end by themselves")
    done = subprocess.run(
        [sys.executable, "-m", "tests.harness", "sweep"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "dead fleets" in done.stdout
    assert traces(number) == []


def traces(number: int) -> list[str]:
    """Everything on this machine that says it belongs to fleet `number`."""
    folder = str(STATE / str(number))
    found = [folder] if Path(folder).exists() else []
    found += [line for line in lines("ip", "netns") if line.startswith(f"lsh-{number}-")]
    found += [line for line in lines("ip", "-o", "link") if f" lsh-{number}@" in line]
    found += [line for line in lines("ip", "route") if f"198.18.{number}." in line]
    found += [line for line in lines("mount") if f"{folder}/" in line or f"lsh-{number}-" in line]
    found += processes(number)
    found += [str(path) for path in Path("/sys/fs/cgroup").rglob(f"lockship-fleet-{number}")]
    return found


def processes(number: int) -> list[str]:
    marks = (f"{STATE}/{number}/", f"/lsh-{number}-", f"/lockship-fleet-{number}/")
    return [
        line for line in lines("ps", "-eo", "cgroup,args") if any(mark in line for mark in marks)
    ]


def lines(*argv: str) -> list[str]:
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
