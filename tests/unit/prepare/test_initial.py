"""`init` writes a configuration that `prepare` accepts, and overwrites nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockship.errors import RefusedError, UsageError
from lockship.prepare.dockerfile import exposed_port
from lockship.prepare.initial import init, public_remote, service_name
from lockship.prepare.prepare import prepare
from tests.unit.gitrepo import Repo


@pytest.fixture
def fresh(tmp_path: Path) -> Repo:
    """A repository with a Dockerfile and nothing of lockship."""
    path = tmp_path / "My Shop_2"
    path.mkdir()
    repo = Repo(path)
    repo.git("init", "--quiet")
    repo.write("Dockerfile", "FROM scratch\nEXPOSE 8000\n")
    repo.commit("first")
    return repo


def test_prepare_accepts_it(fresh: Repo) -> None:
    fresh.git("remote", "add", "origin", "https://ada:secret@git.example.com/acme/shop.git")
    path = init(fresh.path)
    assert path == fresh.path / "lockship.toml"
    assert "secret" not in path.read_text()
    fresh.commit("configuration")
    lock = prepare(fresh.path).lock
    assert lock.service.name == "my-shop-2"
    assert lock.roles["web"].hosts == ("local",)
    assert lock.roles["web"].ports == ("8000:8000",)
    assert lock.healthcheck.port == 8000
    assert lock.source.remote == "https://git.example.com/acme/shop"


def test_without_a_port_and_a_remote(fresh: Repo) -> None:
    fresh.write("Dockerfile", "FROM scratch\n")
    init(fresh.path)
    fresh.commit("configuration")
    lock = prepare(fresh.path).lock
    assert not lock.roles["web"].ports
    assert lock.healthcheck.port is None
    assert lock.source.remote is None


def test_a_dockerfile_in_the_folder_where_one_is(fresh: Repo) -> None:
    fresh.write("services/api/Dockerfile", "FROM scratch\n")
    assert init(fresh.path / "services/api") == fresh.path / "lockship.toml"
    fresh.commit("configuration")
    assert prepare(fresh.path).lock.build.context == "services/api"


def test_a_destination(fresh: Repo) -> None:
    with pytest.raises(UsageError, match=r"no lockship\.toml yet"):
        init(fresh.path, "staging")
    init(fresh.path)
    assert init(fresh.path, "staging").name == "lockship.staging.toml"
    fresh.commit("configuration")
    assert prepare(fresh.path, destination="staging").lock.service.destination == "staging"


def test_what_is_there_stays(fresh: Repo, tmp_path: Path) -> None:
    path = fresh.path / "lockship.toml"
    path.write_text("mine")
    with pytest.raises(RefusedError, match="there already"):
        init(fresh.path)
    assert path.read_text() == "mine"
    path.unlink()
    path.symlink_to(tmp_path / "outside")
    with pytest.raises(RefusedError, match="there already"):
        init(fresh.path)
    assert not (tmp_path / "outside").exists()


def test_it_needs_a_repository_and_a_dockerfile(fresh: Repo, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a git repository"):
        init(tmp_path)
    (fresh.path / "Dockerfile").unlink()
    with pytest.raises(UsageError, match="no Dockerfile"):
        init(fresh.path)
    assert not (fresh.path / "lockship.toml").exists()


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("FROM a\nEXPOSE 80\n", 80),
        ("FROM a AS x\nEXPOSE 1\nFROM b\nexpose 53/udp 8080/tcp 9090\n", 8080),
        ("FROM a AS x\nEXPOSE 1\nFROM b\n", None),
        ("FROM a\nEXPOSE \\\n  # why\n  8080 \\\n  9090\n", 8080),
        ("# escape=`\nFROM a\nEXPOSE `\n 81\n", 81),
        ("FROM a\nEXPOSE $PORT\nEXPOSE ${P:-1} 70000\nEXPOSE 82\n", 82),
        ("FROM a\n# EXPOSE 80\nRUN echo EXPOSE 81\n", None),
        ("", None),
    ],
)
def test_exposed_port(text: str, port: int | None) -> None:
    assert exposed_port(text) == port


@pytest.mark.parametrize(
    ("url", "remote"),
    [
        ("https://github.com/acme/shop.git", "https://github.com/acme/shop"),
        ("https://token@github.com/acme/shop", "https://github.com/acme/shop"),
        ("git@github.com:acme/shop.git", "https://github.com/acme/shop"),
        ("ssh://git@git.example.com:2222/acme/shop/", "https://git.example.com/acme/shop"),
        ("/srv/git/shop.git", None),
        ("file:///srv/git/shop.git", None),
        ("../shop", None),
        ("https://localhost/shop", None),
        ("https://192.0.2.1/shop", None),
        ("git@internal:shop", None),
        ('https://example.com/a"b', None),
        ("", None),
    ],
)
def test_public_remote(url: str, remote: str | None) -> None:
    assert public_remote(url) == remote


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("shop", "shop"),
        ("--Shop--", "shop"),
        ("größe", "gr-e"),
        ("...", "app"),
        ("x" * 70, "x" * 63),
    ],
)
def test_service_name(folder: str, name: str) -> None:
    assert service_name(folder) == name


def test_a_further_service_gets_its_own_in_its_folder(fresh: Repo) -> None:
    fresh.write("services/api/Dockerfile", "FROM scratch\nEXPOSE 9000\n")
    init(fresh.path)
    path = init(fresh.path / "services/api")
    assert path == fresh.path / "services/api/lockship.toml"
    with pytest.raises(RefusedError, match="there already"):
        init(fresh.path / "services/api")
    assert init(fresh.path / "services/api", "staging").parent == path.parent
    fresh.commit("two services")
    lock = prepare(fresh.path / "services/api").lock
    assert lock.service.name == "api"
    assert lock.build.context == "services/api"
    assert lock.source.paths == (".lockship", "services/api")
    assert prepare(fresh.path).lock.service.name == "my-shop-2"
