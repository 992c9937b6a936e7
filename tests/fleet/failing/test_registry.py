"""A registry that refuses: at the push nothing was deployed yet, at the pull nothing switched."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.fleet.failing.service import Service
from tests.fleet.shop import image_table
from tests.harness import Registry

FAULTS = {
    "stopped": "connection refused",
    "read-only": "",
    "wrong password": "docker login",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_refuses_the_push(beside: Service, fault: str) -> None:
    old, before = beside.body("web1"), beside.world()
    text = f"pushed after {fault}"
    version = beside.change(text, more=image_table(beside.fleet))
    with refusing(beside, fault):
        said = beside.deploy(expect=1)
    assert registry_of(beside).address in said
    assert FAULTS[fault] in said.lower()
    assert "hint:" in said
    beside.nothing_left(before, old)
    assert beside.outcomes("web1", version) == []
    beside.mended(text)


@pytest.mark.parametrize("fault", ["stopped", "wrong password"])
def test_refuses_the_pull(beside: Service, fault: str) -> None:
    old, before = beside.body("web1"), beside.world()
    text = f"pulled after {fault}"
    version = beside.change(text, more=image_table(beside.fleet))
    beside.lockship("build")
    with refusing(beside, fault):
        said = beside.deploy(expect=1)
    assert "The deploy failed before the switch" in said
    # Whichever host fails first stops the other one.
    assert f": pull {registry_of(beside).address}/acme/shop@sha256:" in said.partition("error:")[2]
    assert "hint:" in said
    beside.nothing_left(before, old)
    assert beside.outcomes("web1", version) == ["failed"]
    beside.mended(text)


@contextmanager
def refusing(service: Service, fault: str) -> Iterator[None]:
    registry, config = registry_of(service), service.fleet.home.docker_config
    before = config.read_text()
    try:
        if fault == "stopped":
            registry.stop()
        elif fault == "read-only":
            registry.read_only()
        else:
            wrong = {"auths": {registry.address: {"auth": "c2hpcHBlcjp3cm9uZw=="}}}
            config.write_text(json.dumps(wrong))
        yield
    finally:
        config.write_text(before)
        if fault != "wrong password":
            registry.stop()
            registry.start()


def registry_of(service: Service) -> Registry:
    assert service.fleet.registry
    return service.fleet.registry
