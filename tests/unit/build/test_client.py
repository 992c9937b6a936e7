"""Finding a docker command with BuildKit among those on PATH."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockship.build.client import Client, client_env, find_client, has_buildkit_inside
from lockship.errors import LockshipError

NEWER = 'case "$1" in buildx) exit 1;; *) echo "Docker version 28.2.2, build e6534b4";; esac'
BUILDX = 'echo "github.com/docker/buildx v0.20.0"'
OLDER = 'case "$1" in buildx) exit 1;; *) echo "Docker version 20.10.24+dfsg1, build x";; esac'
BROKEN = "exit 127"


def path_of(tmp_path: Path, *scripts: str) -> dict[str, str]:
    folders = []
    for number, script in enumerate(scripts):
        folder = tmp_path / str(number)
        folder.mkdir(parents=True)
        (folder / "docker").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "docker").chmod(0o755)
        folders.append(str(folder))
    return {"PATH": ":".join([*folders, "", "relative", "/usr/sbin-none"])}


@pytest.mark.parametrize(
    ("scripts", "index", "buildx"),
    [
        ((NEWER, OLDER), 1, False),
        ((BROKEN, NEWER, BUILDX), 2, True),
        ((OLDER, BUILDX), 0, False),
    ],
)
def test_each_one_is_asked_in_order(
    tmp_path: Path, scripts: tuple[str, ...], index: int, buildx: bool
) -> None:
    found = find_client(path_of(tmp_path, *scripts))
    assert found == Client(str(tmp_path / str(index) / "docker"), buildx)


def test_an_older_one_reads_secrets_from_files_only(tmp_path: Path) -> None:
    oldest = OLDER.replace("20.10.24+dfsg1", "19.03.5")
    found = find_client(path_of(tmp_path, oldest))
    assert (found.buildx, found.secrets_from_env) == (False, False)
    assert find_client(path_of(tmp_path / "b", OLDER)).secrets_from_env


def test_a_build_hosts_engine_is_the_only_one_that_it_is_led_to() -> None:
    outer = {"PATH": "/bin", "DOCKER_CONTEXT": "c", "DOCKER_TLS_VERIFY": "1", "BUILDX_BUILDER": "b"}
    env = client_env(outer | {"DOCKER_HOST": "tcp://x"}, {"DOCKER_HOST": "unix:///y"})
    assert env["DOCKER_HOST"] == "unix:///y"
    assert {"DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "BUILDX_BUILDER"}.isdisjoint(env)


def test_none_of_them_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(LockshipError, match="has BuildKit") as caught:
        find_client(path_of(tmp_path, NEWER, BROKEN))
    assert "28.2.2" in caught.value.details[0]
    assert "docker-buildx" in caught.value.hint
    with pytest.raises(LockshipError, match="no docker on PATH"):
        find_client({"PATH": "/nowhere"})


def test_which_clients_have_it_inside() -> None:
    versions = ("18.06.1", "18.09.0", "19.03.5", "20.10.24+dfsg1", "22.06.0", "23.0.1", "28.2.2")
    found = [v for v in versions if has_buildkit_inside(f"Docker version {v}, build x")]
    assert found == ["18.09.0", "19.03.5", "20.10.24+dfsg1", "22.06.0"]
    assert not has_buildkit_inside("podman 4.3")
