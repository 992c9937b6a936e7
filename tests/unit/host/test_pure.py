"""The parts of the host room that need no host."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import docker.errors
import paramiko
import pytest
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from lockship.errors import LockshipError, UsageError
from lockship.host import engine_address, parse, sshconfig
from lockship.host.dial import _version
from lockship.host.errors import HostError, frozen, login_words
from lockship.host.options import parse_size
from lockship.host.spec import parse_port, to_engine
from lockship.host.streams import frames, lines
from lockship.host.translate import boundary, translate
from lockship.host.types import ContainerSpec, ListedImage, Published
from lockship.lock.model import LOCAL, Host


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("8080:80", Published(8080, 80)),
        ("53:53/udp", Published(53, 53, "udp")),
        ("127.0.0.1:8080:80", Published(8080, 80, "tcp", "127.0.0.1")),
        ("[::1]:53:54/udp", Published(53, 54, "udp", "::1")),
    ],
)
def test_ports(text: str, port: Published) -> None:
    assert parse_port(text) == port


def test_memory() -> None:
    sizes = [parse_size(text) for text in ("1000", "2b", "3k", "512m", "2g")]
    assert sizes == [1000, 2, 3072, 512 << 20, 2 << 30]


def test_a_container_s_body() -> None:
    spec = ContainerSpec(
        name="web",
        image="sha256:aa",
        command=(),
        env={"A": "b=c"},
        labels={"l": "v"},
        ports=("8080:80", "8081:80"),
        volumes=("data:/data:ro",),
        restart="always",
        memory=None,
        cpus=1.5,
        stop_timeout=1.2,
    )
    body = to_engine(spec)
    assert "Cmd" not in body, "the image's own command"
    assert body["StopTimeout"] == 2
    assert body["HostConfig"] == {
        "Binds": ["data:/data:ro"],
        "PortBindings": {
            "80/tcp": [{"HostIp": "", "HostPort": "8080"}, {"HostIp": "", "HostPort": "8081"}]
        },
        "RestartPolicy": {"Name": "always"},
        "NanoCpus": 1_500_000_000,
    }


def test_a_listed_container() -> None:
    raw = {
        "Id": "1",
        "Names": ["/web"],
        "ImageID": "sha256:a",
        "State": "running",
        "Status": "Up 2 minutes (health: starting)",
        "Created": 0,
        "Labels": None,
        "Ports": [
            {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},  # noqa: S104
            {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
            {"PrivatePort": 81, "Type": "tcp"},
        ],
        "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
    }
    found = parse.container_from_list(raw)
    assert (found.name, found.health, found.address) == ("web", "starting", "172.17.0.2")
    assert found.published == (Published(8080, 80),)
    ended = parse.container_from_list(raw | {"State": "exited", "Status": "Exited (137) 1 s ago"})
    assert ended.exit_code == 137


def test_a_listed_image() -> None:
    raw = {
        "Id": "sha256:1",
        "RepoTags": ["shop:2", "shop:1"],
        "RepoDigests": ["<none>@<none>"],  # API 1.42 and before say it so, later ones by []
        "Labels": None,
    }
    assert parse.image_from_list(raw) == ListedImage("sha256:1", ("shop:1", "shop:2"), (), {})
    bare = parse.image_from_list({"Id": "sha256:2", "RepoTags": None, "Labels": {"a": "b"}})
    assert bare == ListedImage("sha256:2", (), (), {"a": "b"})


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=50))), st.integers(1, 20))
def test_frames_and_lines(written: list[tuple[int, bytes]], chunk: int) -> None:
    stream = b"".join(struct.pack(">BxxxL", kind, len(data)) + data for kind, data in written)
    found = list(frames(io.BytesIO(stream).read))
    for kind in (1, 2):
        joined = b"".join(data for k, data in written if k == kind)
        assert b"".join(data for k, data in found if k == kind) == joined
        cut = [joined[i : i + chunk] for i in range(0, len(joined), chunk)]
        whole = [line.removesuffix(b"\r") for line in joined.split(b"\n")[:-1]]
        rest = joined.rpartition(b"\n")[2]
        assert list(lines((1, piece) for piece in cut)) == whole + ([rest] if rest else [])
    assert list(frames(io.BytesIO(stream[:-1]).read)) == found[:-1] or not stream or stream[-1:]


@pytest.mark.parametrize(
    ("told", "used"),
    [("1.41", "1.41"), ("1.40", "1.40"), ("1.52", "1.47"), ("1.44", "1.44"), ("", "1.41")],
)
def test_api_versions(told: str, used: str) -> None:
    assert _version(told) == used


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(28, "No space left on device"), "disk-full"),
        (ConnectionRefusedError(111, "Connection refused"), "unreachable"),
        (ConnectionResetError(104, "reset"), "gone"),
        (EOFError(), "gone"),
        (TimeoutError(), "frozen"),
        (paramiko.SSHException("SSH session not active"), "gone"),
        (paramiko.AuthenticationException("no"), "authentication"),
        (
            paramiko.ssh_exception.NoValidConnectionsError({("h", 22): OSError(111, "r")}),
            "unreachable",
        ),
        (
            requests.ConnectionError(urllib3.exceptions.ProtocolError("x", OSError(28, "full"))),
            "disk-full",
        ),
        (requests.ReadTimeout("slow"), "frozen"),
        (docker.errors.APIError("x", explanation="write /a: no space left on device"), "disk-full"),
        (docker.errors.APIError("x", explanation="Bind: address already in use"), "port-taken"),
        (docker.errors.DockerException("odd"), "refused"),
    ],
)
def test_translation(error: Exception, kind: str) -> None:
    found = translate("web1", "do it", 5.0, error)
    assert found is not None
    assert (found.kind, found.host) == (kind, "web1")
    assert found.message.startswith("web1: ")


def test_the_boundary_lets_through_what_is_ours() -> None:
    with pytest.raises(UsageError), boundary("h", "x", 1):
        raise UsageError("mine")
    with pytest.raises(KeyError), boundary("h", "x", 1):
        raise KeyError("a bug keeps its traceback")
    with pytest.raises(KeyboardInterrupt), boundary("h", "x", 1):
        raise KeyboardInterrupt
    with pytest.raises(HostError) as caught, boundary("h", "x", 1):
        raise docker.errors.APIError("x", explanation="https://me:s3cret@reg/v2/ says no")
    assert "s3cret" not in str(caught.value)


def test_ssh_config_order_and_includes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    ssh = tmp_path / ".ssh"
    (ssh / "conf.d").mkdir(parents=True)
    (ssh / "config").write_text(
        "Include conf.d/*.conf ~/.ssh/none\nHost web\n  User file\n  Port 1\n\nHost *\n  User all\n"
    )
    (ssh / "conf.d/a.conf").write_text("Host web\n  HostName 10.0.0.1\nHost other\n  User o\n")
    found = sshconfig.load("web", None, None).lookup("web")
    assert (found["hostname"], found["user"], found["port"]) == ("10.0.0.1", "file", "1")
    found = sshconfig.load("web", "lock", 22).lookup("web")
    assert (found["user"], found["port"]) == ("lock", "22")
    assert sshconfig.load("web", "lock", 22).lookup("jump")["user"] == "all", "not for jump hosts"
    (ssh / "config").write_text("Include config\nHost x\n  User x\n")
    assert sshconfig.load("x", None, None).lookup("x")["user"] == "x", "includes itself"


def test_where_the_engine_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert engine_address.find() == "unix:///var/run/docker.sock"
    monkeypatch.setenv("DOCKER_HOST", "ssh://web1")
    with pytest.raises(UsageError, match="ssh://web1"):
        engine_address.find()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(LockshipError, match="no Docker engine answers") as caught:
        engine_address.dial("local", engine_address.find(), 1)
    assert "DOCKER_HOST" in caught.value.hint


def test_the_current_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    import hashlib
    import json

    folder = tmp_path / ".docker/contexts/meta" / hashlib.sha256(b"colima").hexdigest()
    folder.mkdir(parents=True)
    meta = {
        "Name": "colima",
        "Metadata": {},
        "Endpoints": {"docker": {"Host": "unix:///c.sock", "SkipTLSVerify": False}},
    }
    (folder / "meta.json").write_text(json.dumps(meta))
    (tmp_path / ".docker/config.json").write_text(json.dumps({"currentContext": "colima"}))
    assert engine_address.find() == "unix:///c.sock"


LOGINS = {
    Host(): "web1",
    Host(user="deploy"): "deploy@web1",
    Host(port=2222): "-p 2222 web1",
    Host(user="deploy", port=2222): "-p 2222 deploy@web1",
}


@pytest.mark.parametrize("host", LOGINS, ids=str)
def test_a_hint_says_the_login_that_the_lock_has(host: Host) -> None:
    """Also through two boundaries; the name of another host in a hint stays."""
    words = login_words("web1", host)
    assert words == LOGINS[host]
    once, twice = (boundary("web1", "ssh", 1, words) for _ in "12")
    with pytest.raises(HostError) as caught, once, twice:
        raise ConnectionRefusedError(111, "Connection refused")
    assert caught.value.hint == f"see whether it is up: ssh {words} true"
    error = HostError("web1", "refused", "no", hint="ssh -v web1 true; ssh web1: ssh web11 true")
    error.log_in_as(words)
    assert error.hint == f"ssh -v {words} true; ssh web1: ssh web11 true"


def test_nobody_needs_ssh_to_this_machine() -> None:
    with pytest.raises(HostError) as caught, boundary(LOCAL, "start web", 1, LOCAL):
        raise docker.errors.APIError("no", explanation="port is already allocated")
    assert "ssh" not in caught.value.hint
    assert "docker ps" in caught.value.hint
    assert frozen(LOCAL, 1, "start web").hint == "see whether its engine is alive: docker version"
