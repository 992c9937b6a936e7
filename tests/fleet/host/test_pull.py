"""Pulling by digest from a registry with TLS and a password that only this machine knows."""

import json

import pytest

from lockship.host.credentials import registry_auth
from lockship.host.errors import HostError
from lockship.host.types import RegistryAuth
from tests.fleet.host.conftest import Connect
from tests.harness import Fleet


@pytest.fixture
def pushed(as_user: Fleet) -> str:
    """An image in the registry, as repository@digest."""
    registry = as_user.registry
    assert registry is not None
    tag = f"{registry.address}/shop:1"
    as_user.engine.docker("tag", "busybox:1.36", tag)
    as_user.engine.docker(
        "--config", str(as_user.home.docker_config.parent), "push", "--quiet", tag
    )
    digest, _ = registry.manifest("shop", "1")
    return f"{registry.address}/shop@{digest}"


def test_credentials_come_from_here_and_stay_here(as_user: Fleet, to: Connect, pushed: str) -> None:
    host, registry = as_user.hosts[0], as_user.registry
    assert registry is not None
    auth = registry_auth(registry.address)
    assert auth == RegistryAuth(
        server=registry.address, username=registry.user, password=registry.password
    )
    assert registry.password not in repr(auth)
    server = to(host)
    server.pull(pushed, auth)
    image = server.image(pushed)
    assert image is not None
    assert image.digests == (pushed,)
    server.pull(pushed, auth)
    left = host.run("grep", "-rlF", registry.password, "/root", "/etc/docker", check=False)
    assert left.stdout == ""
    assert not (host.home / ".docker").exists()


def test_a_registry_that_refuses(as_user: Fleet, to: Connect, pushed: str) -> None:
    server, registry = to(as_user.hosts[0]), as_user.registry
    assert registry is not None
    wrong = RegistryAuth(server=registry.address, username=registry.user, password="wr0ng secret")
    for auth in (None, wrong):
        with pytest.raises(HostError, match="web1: pull ") as caught:
            server.pull(pushed, auth)
        assert caught.value.kind == "pull"
        assert f"docker login {registry.address}" in caught.value.hint
        assert "wr0ng" not in str(caught.value)


def test_a_digest_that_is_not_there(as_user: Fleet, to: Connect, pushed: str) -> None:
    registry = as_user.registry
    assert registry is not None
    with pytest.raises(HostError) as caught:
        to(as_user.hosts[0]).pull(
            pushed.partition("@")[0] + "@sha256:" + "0" * 64, registry_auth(registry.address)
        )
    assert caught.value.kind == "pull"
    assert "lockship build" in caught.value.hint


def test_a_registry_that_is_down(as_user: Fleet, to: Connect, pushed: str) -> None:
    registry = as_user.registry
    assert registry is not None
    registry.stop()
    try:
        with pytest.raises(HostError) as caught:
            to(as_user.hosts[0]).pull(pushed, registry_auth(registry.address))
    finally:
        registry.start()
    assert caught.value.kind == "pull"
    assert "curl" in caught.value.hint


def test_no_credentials_and_broken_ones(as_user: Fleet) -> None:
    assert registry_auth("elsewhere.example.com") is None
    assert registry_auth(None) is None
    config = {"credHelpers": {"helped.example.com": "nothing-like-it"}}
    as_user.home.docker_config.write_text(json.dumps(config))
    with pytest.raises(Exception, match=r"credentials for helped\.example\.com") as caught:
        registry_auth("helped.example.com")
    assert "docker login helped.example.com" in caught.value.hint  # type: ignore[attr-defined]
