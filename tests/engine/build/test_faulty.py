"""A registry that fails in passing, and one that goes on failing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockship.errors import LockshipError
from lockship.host import again, retryafter
from lockship.lock.model import Lock
from tests.engine.build.conftest import Make, Recorder, make_lock
from tests.harness import Fleet
from tests.harness.faulty import FaultyRegistry, faulty


@pytest.fixture
def registry(builder: Fleet, tmp_path: Path) -> Iterator[FaultyRegistry]:
    """The workshop's registry behind a proxy that fails on demand."""
    assert builder.registry is not None
    address = builder.network.address(1)
    with faulty(tmp_path / "proxy", address, builder.registry, builder.engine) as found:
        builder.home.docker_config.write_text(json.dumps(found.docker_config()))
        yield found


@pytest.fixture
def lock(registry: FaultyRegistry, repository: Path) -> Lock:
    image = {"repository": f"{registry.address}/acme/shop"}
    return make_lock(repository, image=image)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "WAITS", (0.1, 0.1))


def notes(report: Recorder) -> list[str]:
    return [event.step for event in report.events if "trying again" in event.step]


@pytest.mark.usefixtures("hasty")
def test_a_push_that_falters_is_finished(
    make: Make, registry: FaultyRegistry, repository: Path, lock: Lock, report: Recorder
) -> None:
    registry.fail("PATCH", "/blobs/", 0)  # in the middle of a layer: the engine's own business
    registry.fail("PUT", "/manifests/", 429, Retry_After="1")
    registry.fail("PUT", "/manifests/", 500)

    built = make(repository, lock)

    assert len(registry.hit) == 3
    assert [note.rpartition(": ")[2] for note in notes(report)] == [
        "trying again in 0.1 s",
        "trying again in 0.1 s",
    ]
    digest, _ = registry.registry.manifest("acme/shop", lock.image.tag)
    assert built.artifact.digest == digest


@pytest.fixture
def trusting(builder: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where lockship runs on the engine's machine, whose certificates it sees."""
    folder = builder.engine.machine.root / "etc/docker/certs.d"
    monkeypatch.setattr(retryafter, "CERTIFICATES", folder)


@pytest.mark.usefixtures("hasty", "trusting")
def test_the_registrys_header_is_obeyed(
    make: Make, registry: FaultyRegistry, repository: Path, lock: Lock, report: Recorder
) -> None:
    """Whoever comes again too early waits anew: the two tries of `hasty` would both be."""
    registry.limit("PUT", "/manifests/", 2)

    built = make(repository, lock)

    assert [note.rpartition(": ")[2] for note in notes(report)] == ["trying again in 2 s"]
    assert [hit for hit in registry.hit if hit != "GET /v2/"] == [
        f"PUT /v2/acme/shop/manifests/{lock.image.tag}"
    ]
    assert built.artifact.digest == registry.registry.manifest("acme/shop", lock.image.tag)[0]


@pytest.mark.usefixtures("trusting")
def test_a_registry_that_wants_a_long_pause_is_left_alone(
    make: Make, registry: FaultyRegistry, repository: Path, lock: Lock, report: Recorder
) -> None:
    registry.limit("PUT", "/manifests/", 300)

    with pytest.raises(LockshipError, match="asked too often") as caught:
        make(repository, lock)

    assert caught.value.details[-1] == "it wants to be asked again in 300 s"
    assert notes(report) == []


@pytest.mark.usefixtures("hasty")
def test_a_pull_that_falters_is_finished(
    builder: Fleet, make: Make, registry: FaultyRegistry, repository: Path, lock: Lock
) -> None:
    built = make(repository, lock)
    builder.engine.docker("rmi", "--force", built.artifact.images[0].image_id)
    registry.fail("GET", "/manifests/sha256", 503)
    registry.fail("GET", "/manifests/sha256", 0)

    found = make(repository, lock)

    assert (found.how, found.artifact) == ("found in registry", built.artifact)
    assert len(registry.hit) == 2


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("status", "message", "hint"),
    [(503, "failed", "Look at the registry"), (429, "is asked too often", "higher limit")],
)
def test_what_goes_on_failing_is_said(
    make: Make,
    registry: FaultyRegistry,
    repository: Path,
    lock: Lock,
    report: Recorder,
    status: int,
    message: str,
    hint: str,
) -> None:
    registry.fail("PUT", "/manifests/", status, times=99)

    with pytest.raises(LockshipError) as caught:
        make(repository, lock)

    assert caught.value.message.startswith(f"The registry {registry.address} {message}")
    assert hint in caught.value.hint
    assert len(notes(report)) == 2
    assert registry.registry.password not in str((caught.value.details, report.events))


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_not_tried_again(
    make: Make,
    registry: FaultyRegistry,
    repository: Path,
    lock: Lock,
    report: Recorder,
    status: int,
) -> None:
    registry.fail("PUT", "/manifests/", status, times=99)

    with pytest.raises(LockshipError, match="refuses") as caught:
        make(repository, lock)

    assert f"docker login {registry.address}" in caught.value.hint
    assert notes(report) == []
