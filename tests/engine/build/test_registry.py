"""Pushing to a real registry with TLS and a password, and finding what is already there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from lockship.build.image import build
from lockship.errors import LockshipError, RefusedError
from lockship.lock.image import Image
from lockship.lock.model import Lock
from lockship.lock.registry import Registry as Account
from lockship.secrets.secret import Secret
from tests.engine.build.conftest import Make, Recorder, make_lock
from tests.harness import Fleet, Registry
from tests.unit.locks import commit_all


@pytest.fixture
def registry(builder: Fleet) -> Registry:
    assert builder.registry is not None
    return builder.registry


@pytest.fixture
def lock(registry: Registry, repository: Path) -> Lock:
    return registry_lock(registry, repository)


def registry_lock(registry: Registry, repository: Path, tag: str = "v1") -> Lock:
    image = Image(repository=f"{registry.address}/acme/shop", tag=tag)
    return make_lock(repository, image=image, service={"version": tag})


def forget_images(fleet: Fleet, lock: Lock, image_id: str) -> None:
    fleet.engine.docker("rmi", "--force", image_id)


def test_it_is_pushed_and_the_digest_is_the_registry_s(
    make: Make, registry: Registry, repository: Path, lock: Lock, report: Recorder
) -> None:
    built = make(repository, lock)

    digest, manifest = registry.manifest("acme/shop", "v1")
    assert built.how == "built"
    assert built.artifact.digest == digest
    assert manifest["config"]["digest"] == built.artifact.images[0].image_id  # type: ignore[index]
    steps = [(event.kind, event.step) for event in report.events if event.kind != "line"]
    assert ("done", f"push {lock.image.reference}") in steps


def test_what_the_registry_has_is_not_built_or_pushed_again(
    builder: Fleet, make: Make, registry: Registry, repository: Path, lock: Lock
) -> None:
    built = make(repository, lock)
    registry.read_only()

    assert make(repository, lock).how == "found in registry"
    assert make(repository, replace(lock, artifact=built.artifact)).artifact == built.artifact
    forget_images(builder, lock, built.artifact.images[0].image_id)
    found = make(repository, lock)
    assert (found.how, found.artifact) == ("found in registry", built.artifact)


def test_what_is_only_here_is_pushed(
    builder: Fleet, make: Make, registry: Registry, repository: Path, lock: Lock
) -> None:
    registry.read_only()
    with pytest.raises(LockshipError):
        make(repository, lock)
    registry.reset()

    found = make(repository, lock)

    assert found.how == "found here"
    assert found.artifact.digest == registry.manifest("acme/shop", "v1")[0]


def test_a_tag_with_other_content_in_the_registry_is_refused(
    builder: Fleet, make: Make, registry: Registry, repository: Path, lock: Lock
) -> None:
    built = make(repository, lock)
    forget_images(builder, lock, built.artifact.images[0].image_id)
    (repository / "index.html").write_text("two\n")
    commit_all(repository)

    with pytest.raises(RefusedError, match="taken in the registry"):
        make(repository, registry_lock(registry, repository))

    assert registry.manifest("acme/shop", "v1")[0] == built.artifact.digest


def test_refused_credentials_name_the_login(
    builder: Fleet, make: Make, registry: Registry, repository: Path, lock: Lock
) -> None:
    auth = {"auths": {registry.address: {"auth": "YWRhOndyb25n"}}}
    for config in ({}, auth):
        builder.home.docker_config.write_text(json.dumps(config))
        with pytest.raises(LockshipError) as caught:
            make(repository, lock)
        assert f"docker login {registry.address}" in caught.value.hint
        assert "wrong" not in str(caught.value.details)


def test_credentials_from_a_helper(
    builder: Fleet,
    make: Make,
    registry: Registry,
    repository: Path,
    lock: Lock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = {"ServerURL": registry.address, "Username": registry.user, "Secret": registry.password}
    helper = tmp_path / "bin/docker-credential-test"
    helper.parent.mkdir()
    helper.write_text(f"#!/bin/sh\ncat >/dev/null\ncat <<'E'\n{json.dumps(answer)}\nE\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{helper.parent}:{builder.env()['PATH']}")
    builder.home.docker_config.write_text(json.dumps({"credHelpers": {registry.address: "test"}}))

    assert make(repository, lock).artifact.digest is not None


def test_a_registry_that_is_down(
    make: Make, registry: Registry, repository: Path, lock: Lock
) -> None:
    registry.stop()
    try:
        with pytest.raises(LockshipError, match="can't be reached"):
            make(repository, lock)
    finally:
        registry.start()


def test_a_registry_that_hangs(
    make: Make, registry: Registry, repository: Path, lock: Lock
) -> None:
    registry.freeze()
    try:
        with pytest.raises(LockshipError, match=r"registry .* can't be reached"):
            make(repository, lock)
    finally:
        registry.thaw()


def test_a_registry_that_refuses_the_push(
    make: Make, registry: Registry, repository: Path, lock: Lock
) -> None:
    registry.read_only()
    with pytest.raises(LockshipError) as caught:
        make(repository, lock)
    assert registry.address in caught.value.message
    assert caught.value.hint


def test_an_unknown_certificate_authority(
    builder: Fleet, make: Make, registry: Registry, repository: Path, lock: Lock
) -> None:
    authorities = builder.engine.machine.root / "etc/docker/certs.d"
    aside = authorities.with_name("aside")
    authorities.rename(aside)
    try:
        with pytest.raises(LockshipError, match="doesn't trust the certificate") as caught:
            make(repository, lock)
        assert f"/etc/docker/certs.d/{registry.address}/ca.crt" in caught.value.hint
    finally:
        aside.rename(authorities)


def test_a_base_image_is_pulled_with_the_locks_account(
    builder: Fleet, registry: Registry, repository: Path, report: Recorder
) -> None:
    config = builder.home.docker_config
    base = f"{registry.address}/acme/base:1"
    builder.engine.docker("tag", "busybox:1.36", base)
    builder.engine.docker("--config", str(config.parent), "push", "--quiet", base)
    builder.engine.docker("rmi", base)
    config.write_text("{}")
    (repository / "Dockerfile").write_text(f"FROM {base}\nCOPY . /srv\n")
    commit_all(repository)
    account = Account(username=registry.user, password="PASSWORD")
    pin = registry.manifest("acme/base", "1")[0]
    image = Image(repository=f"{registry.address}/acme/shop", tag="v1")
    lock = make_lock(
        repository, image=image, service={"version": "v1"}, build={"base": {base: pin}}
    )
    lock = replace(lock, registry=account)

    for password, fine in (("wr0ng", False), (registry.password, True)):
        secrets = {"PASSWORD": Secret(password)}
        if fine:
            built = build(repository, lock, report=report, tty=False, secrets=secrets)
            assert built.artifact.digest == registry.manifest("acme/shop", "v1")[0]
        else:
            with pytest.raises(LockshipError):
                build(repository, lock, report=report, tty=False, secrets=secrets)
    assert config.read_text() == "{}"
    assert registry.password not in str(report.events)
