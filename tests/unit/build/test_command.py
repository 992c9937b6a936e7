"""What the docker client is told, as data."""

from __future__ import annotations

from pathlib import Path

from lockship.build.client import Client, client_env
from lockship.build.command import build_command
from lockship.build.labels import labels
from lockship.build.target import targets
from lockship.lock.fingerprint import build_key
from lockship.lock.model import Lock
from tests.unit.locks import COMMITTED_AT, make_lock

INSIDE = Client("/usr/bin/docker", buildx=False)
BUILDX = Client("/usr/local/bin/docker", buildx=True)


def command(lock: Lock, client: Client = INSIDE, *, tty: bool = False) -> list[str]:
    folder = Path("/cache/tree/services/api")
    made = build_command(
        client,
        targets(lock)[0],
        context=folder,
        dockerfile=folder / "api.dockerfile",
        iidfile=Path("/tmp/x/iid"),
        tty=tty,
    )
    return list(made)


def test_the_whole_command() -> None:
    lock = make_lock(
        source={"remote": "https://git.example.com/shop"},
        build={"target": "web", "args": {"B": "2", "A": "1 and -more=x"}},
    )
    assert command(lock) == [
        "/usr/bin/docker",
        "build",
        "--file=/cache/tree/services/api/api.dockerfile",
        "--target=web",
        "--build-arg=A=1 and -more=x",
        "--build-arg=B=2",
        f"--label=dev.lockship.build-key={build_key(lock)}",
        f"--label=dev.lockship.fingerprint={lock.fingerprint}",
        "--label=dev.lockship.service=shop",
        f"--label=org.opencontainers.image.created={COMMITTED_AT}",
        f"--label=org.opencontainers.image.revision={'1' * 40}",
        "--label=org.opencontainers.image.source=https://git.example.com/shop",
        "--label=org.opencontainers.image.version=111111111111",
        "--progress=plain",
        "--iidfile=/tmp/x/iid",
        "/cache/tree/services/api",
    ]


def test_through_buildx_on_a_terminal() -> None:
    words = command(make_lock(build={"platforms": ("linux/arm64",)}), BUILDX, tty=True)
    assert words[:4] == ["/usr/local/bin/docker", "buildx", "build", "--load"]
    assert "--platform=linux/arm64" in words
    assert "--progress=auto" in words


def test_no_value_can_be_taken_for_an_option() -> None:
    hostile = "--output=type=local,dest=/"
    words = command(make_lock(build={"target": hostile, "args": {"A": hostile}}))
    assert hostile not in words


def test_a_forced_lock_s_revision_is_its_snapshot() -> None:
    lock = make_lock(source={"snapshot": "5" * 40, "dirty": True})
    assert labels(lock)["org.opencontainers.image.revision"] == "5" * 40


def test_the_client_sees_little_of_the_environment() -> None:
    env = client_env(
        {
            "PATH": "/bin",
            "HOME": "/home/ada",
            "DOCKER_HOST": "unix:///x",
            "DOCKER_CONFIG": "/c",
            "DOCKER_DEFAULT_PLATFORM": "linux/riscv64",
            "DOCKER_BUILDKIT": "0",
            "BUILDKIT_PROGRESS": "tty",
            "VERSION": "x",
            "AWS_SECRET_ACCESS_KEY": "s",
        }
    )
    assert env == {
        "PATH": "/bin",
        "HOME": "/home/ada",
        "DOCKER_HOST": "unix:///x",
        "DOCKER_CONFIG": "/c",
        "DOCKER_BUILDKIT": "1",
        "DOCKER_CLI_HINTS": "false",
        "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
    }
