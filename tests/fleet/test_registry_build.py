"""With a registry: built once, pushed once, pulled by digest with credentials that stay home."""

from __future__ import annotations

import json
import tomllib
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Fleet, HarnessError, Registry, run_lockship
from tests.harness.faulty import faulty
from tests.harness.images import BUSYBOX, PYTHON
from tests.unit.locks import commit_all, git

CONFIG = """\
[service]
name = "shop"
[image]
repository = "{address}/acme/shop"
[roles.web]
hosts = ["web1", "web2"]
[healthcheck]
path = "/"
port = 8080
"""
DOCKERFILE = """\
FROM busybox:1.36
COPY index.html /srv/
CMD ["httpd", "-f", "-p", "8080", "-h", "/srv"]
"""


@pytest.fixture
def registry(clean_fleet: Fleet) -> Registry:
    assert clean_fleet.registry is not None
    return clean_fleet.registry


@pytest.fixture
def shop(registry: Registry, tmp_path: Path) -> Path:
    """A repository whose image goes through the registry."""
    path = tmp_path / "shop"
    path.mkdir()
    git(path, "init", "--quiet")
    (path / "lockship.toml").write_text(CONFIG.format(address=registry.address))
    (path / "Dockerfile").write_text(DOCKERFILE)
    (path / "index.html").write_text("one\n")
    commit_all(path)
    return path


def lock_of(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / ".shiplock").read_text())


def test_hosts_pull_by_digest_and_learn_no_credentials(
    clean_fleet: Fleet, registry: Registry, shop: Path
) -> None:
    env = clean_fleet.env()
    run_lockship(["prepare"], shop, env).expect(0)
    printed = run_lockship(["build"], shop, env).expect(0).stdout.strip()
    lock = lock_of(shop)
    digest, _ = registry.manifest("acme/shop", lock["image"]["tag"])
    assert printed == f"{registry.address}/acme/shop@{digest}"
    assert lock["artifact"]["digest"] == digest

    run_lockship(["deploy"], shop, env).expect(0)

    for host in clean_fleet.hosts[:2]:
        images = set(host.docker("ps", "--no-trunc", "--format", "{{.Image}}").split())
        ids = host.docker("images", "--no-trunc", "--quiet").split()
        assert images
        assert lock["artifact"]["image-id"] in ids
        assert not (host.home / ".docker").exists()
        files = [p for p in host.home.rglob("*") if p.is_file() and p.name != "authorized_keys"]
        assert not [p for p in files if registry.password.encode() in p.read_bytes()]


def test_another_clone_finds_it_in_the_registry(
    clean_fleet: Fleet, registry: Registry, shop: Path, tmp_path: Path
) -> None:
    env = clean_fleet.env()
    run_lockship(["prepare"], shop, env).expect(0)
    git(shop, "add", ".shiplock")
    git(shop, "commit", "--quiet", "--message", "Lock")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(shop), str(clone))
    run_lockship(["build"], shop, env).expect(0)
    clean_fleet.engine.remove_everything(images=True, keep=[*BUSYBOX, *PYTHON])
    registry.read_only()

    found = run_lockship(["build"], clone, env).expect(0)

    assert lock_of(clone)["artifact"] == lock_of(shop)["artifact"]
    assert "push" not in found.stderr
    # Whatever is in it, a build that changes nothing leaves the lock as it is.
    before = (clone / ".shiplock").read_bytes()
    run_lockship(["build"], clone, env).expect(0)
    assert (clone / ".shiplock").read_bytes() == before


def test_a_registry_that_refuses_ends_with_1_and_the_login(
    clean_fleet: Fleet, registry: Registry, shop: Path
) -> None:
    env = clean_fleet.env()
    run_lockship(["prepare"], shop, env).expect(0)
    clean_fleet.home.docker_config.write_text("{}")

    refused = run_lockship(["build"], shop, env).expect(1)

    assert f"docker login {registry.address}" in refused.stderr
    assert "artifact" not in lock_of(shop)
    assert refused.stdout == ""


def test_a_failing_step_s_output_is_the_last_thing(clean_fleet: Fleet, shop: Path) -> None:
    env = clean_fleet.env()
    (shop / "Dockerfile").write_text("FROM busybox:1.36\nRUN echo it broke here; exit 3\n")
    commit_all(shop)
    run_lockship(["prepare"], shop, env).expect(0)

    failed = run_lockship(["build"], shop, env).expect(1)

    assert failed.stdout == ""
    assert "it broke here" in "\n".join(failed.stderr.splitlines()[-6:])


ACCOUNT = """\
[registry]
username = "{user}"
password = "REGISTRY_PASSWORD"
[secrets]
REGISTRY_PASSWORD = "env:REGISTRY_PASSWORD"
"""


def test_an_account_from_secrets_through_a_registry_that_falters(
    clean_fleet: Fleet, registry: Registry, shop: Path, tmp_path: Path
) -> None:
    """No `docker login` anywhere: the push and the hosts' pulls use the lock's account."""
    engines = [clean_fleet.engine, *(host.engine for host in clean_fleet.hosts[:2])]
    config = clean_fleet.home.docker_config
    address = clean_fleet.network.address(1)
    with faulty(tmp_path / "proxy", address, registry, *engines) as proxy:
        text = CONFIG.format(address=proxy.address) + ACCOUNT.format(user=registry.user)
        (shop / "lockship.toml").write_text(text)
        commit_all(shop)
        env = clean_fleet.env()
        config.write_text("{}")
        run_lockship(["prepare"], shop, env).expect(0)
        wrong = run_lockship(["build"], shop, env | {"REGISTRY_PASSWORD": "wr0ng-password"})
        env["REGISTRY_PASSWORD"] = registry.password
        proxy.fail("PUT", "/manifests/", 503)
        proxy.fail("GET", "/manifests/sha256", 429, times=2)

        deployed = run_lockship(["deploy"], shop, env).expect(0)

        assert len(proxy.hit) == 3
    assert wrong.returncode == 1
    assert proxy.address in wrong.stderr
    assert "wr0ng-password" not in wrong.stderr
    assert "trying again in 1 s" in deployed.stderr
    digest, _ = registry.manifest("acme/shop", lock_of(shop)["image"]["tag"])
    assert lock_of(shop)["artifact"]["digest"] == digest
    assert config.read_text() == "{}"
    told = deployed.stdout + deployed.stderr + (shop / ".shiplock").read_text()
    for host in clean_fleet.hosts[:2]:
        told += host.docker("inspect", *host.docker("ps", "--quiet").split())
        files = [p for p in host.home.rglob("*") if p.is_file()]
        told += "".join(path.read_text(errors="replace") for path in files)
    assert registry.password not in told
    assert b64encode(registry.password.encode()).decode() not in told


def test_an_image_that_somebody_else_built_is_deployed(
    clean_fleet: Fleet, registry: Registry, shop: Path
) -> None:
    """Nothing is built: no Dockerfile, no tag, and the next version runs the same image."""
    env, config = clean_fleet.env(), clean_fleet.home.docker_config
    tag = f"{registry.address}/other/web:1"
    others = "FROM busybox:1.36\nLABEL made-by=others\n"
    clean_fleet.engine.docker("build", "--tag", tag, "-", stdin=others)
    clean_fleet.engine.docker("--config", str(config.parent), "push", "--quiet", tag)
    clean_fleet.engine.docker("rmi", tag)
    digest, manifest = registry.manifest("other/web", "1")
    text = CONFIG.format(address=registry.address).replace(
        "acme/shop", f'other/web"\ndigest = "{digest}'
    )
    command = (
        'command = ["httpd", "-f", "-p", "8080", "-h", "/bin"]\nstop-timeout = 1\n[healthcheck]'
    )
    text = text.replace("[healthcheck]", command).replace('path = "/"\n', "")
    (shop / "lockship.toml").write_text(text)
    (shop / "Dockerfile").unlink()
    commit_all(shop)
    run_lockship(["prepare"], shop, env).expect(0)
    built = run_lockship(["build"], shop, env).expect(0)
    assert "there is nothing to build" in built.stderr
    assert built.stdout.strip() == f"{registry.address}/other/web@{digest}"
    lock = lock_of(shop)
    assert "build" not in lock
    assert lock["artifact"]["image-id"] == manifest["config"]["digest"]  # type: ignore[index]

    run_lockship(["deploy"], shop, env).expect(0)
    again = run_lockship(["deploy"], shop, env).expect(0)
    assert "nothing was to be done" in again.stderr
    (shop / "index.html").write_text("another commit\n")
    commit_all(shop)
    run_lockship(["prepare"], shop, env).expect(0)
    planned = run_lockship(["deploy"], shop, env).expect(0)

    assert "pull image" not in planned.stderr
    for host in clean_fleet.hosts[:2]:
        (container,) = host.docker("ps", "--quiet").split()
        (seen,) = json.loads(host.docker("inspect", container))
        assert seen["Image"] == lock["artifact"]["image-id"]
        version = lock_of(shop)["service"]["version"]
        assert seen["Config"]["Labels"]["dev.lockship.version"] == version
    with pytest.raises(HarnessError, match="404"):
        registry.manifest("other/web", lock["image"]["tag"])
    git(shop, "add", ".shiplock")
    git(shop, "commit", "--quiet", "--message", "Lock")
    run_lockship(["audit", "verify", "--registry"], shop, env).expect(0)
