"""Base images: what was locked is built from, whatever their tags say meanwhile."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Fleet, Registry, Result, run_lockship
from tests.harness.engine import docker_client
from tests.harness.images import image_id
from tests.harness.shell import sh
from tests.unit.locks import commit_all, git

DOCKERFILE = """\
# What is said is copied in three ways.
ARG REGISTRY
FROM ${REGISTRY}/acme/tools:1 AS tools

FROM --platform=$TARGETPLATFORM busybox:1.36
COPY --from=tools /said /from-stage
COPY --from=%(registry)s/acme/tools:1 /said /from-copy
RUN --mount=type=bind,from=%(registry)s/acme/tools:1,target=/tools \\
    # a comment in between
    cp /tools/said /from-mount
COPY . /srv
"""
CONFIG = """\
[service]
name = "shop"

[build]
args = { REGISTRY = "%(registry)s" }

[roles.web]
hosts = ["local"]
proxy = true

[proxy]
port = 80

[proxy.server]
image = "%(registry)s/acme/tools:1"

[accessories.tools]
image = "%(registry)s/acme/tools:1"
hosts = ["local"]
"""
NOWHERE = "unix:///nowhere/docker.sock"


@pytest.fixture
def registry(builder: Fleet) -> Registry:
    assert builder.registry is not None
    return builder.registry


@pytest.fixture
def shop(registry: Registry, tmp_path: Path) -> Path:
    path = tmp_path / "shop"
    path.mkdir()
    named = {"registry": registry.address}
    git(path, "init", "--quiet")
    (path / "lockship.toml").write_text(CONFIG % named)
    (path / "Dockerfile").write_text(DOCKERFILE % named)
    (path / "Dockerfile.dockerignore").write_text("hidden\n")
    (path / "hidden").write_text("hidden\n")
    commit_all(path)
    return path


def publish(fleet: Fleet, said: str) -> str:
    """Give the tag `acme/tools:1` in the registry to another image; return its digest."""
    assert fleet.registry is not None
    name = f"{fleet.registry.address}/acme/tools:1"
    text = f"FROM busybox:1.36\nRUN echo {said} > /said\n"
    fleet.engine.docker("build", "--quiet", "--tag", name, "-", stdin=text)
    sh(docker_client(), "push", "--quiet", name, env=fleet.env())
    fleet.engine.docker("rmi", name)
    return fleet.registry.manifest("acme/tools", "1")[0]


def lock_of(shop: Path) -> dict[str, Any]:
    return tomllib.loads((shop / ".shiplock").read_text())


def run(fleet: Fleet, shop: Path, *words: str, expect: int = 0, **env: str) -> Result:
    return run_lockship(words, shop, fleet.env(**env)).expect(expect)


def said(fleet: Fleet, shop: Path) -> set[str]:
    """What the built image says, in each of the three places."""
    names = ("/from-stage", "/from-copy", "/from-mount")
    image = lock_of(shop)["artifact"]["image-id"]
    return set(fleet.engine.docker("run", "--rm", image, "cat", *names).split())


def beside(shop: Path) -> set[str]:
    """The images of the proxy and of the accessory, as the lock has them."""
    lock = lock_of(shop)
    return {lock["proxy"]["server"]["image"], lock["accessories"]["tools"]["image"]}


def forget_builds(fleet: Fleet, shop: Path) -> None:
    """As on another machine: no image of the service, no layer of it, no base from the registry."""
    fleet.engine.remove_everything(images=True, keep=["busybox:1.36", "busybox:latest"])
    fleet.engine.docker("builder", "prune", "--all", "--force")


def test_a_tag_that_is_moved_moves_nothing_until_it_is_asked_for(
    builder: Fleet, registry: Registry, shop: Path
) -> None:
    """Between prepare and build, and between two builds."""
    tools = f"{registry.address}/acme/tools:1"
    one = publish(builder, "one")
    first = run(builder, shop, "prepare").stdout.strip()
    busybox = f"id:{image_id('busybox:1.36')}"
    assert lock_of(shop)["build"]["base"] == {tools: one, "busybox:1.36": busybox}
    assert beside(shop) == {f"{tools}@{one}"}

    two = publish(builder, "two")
    assert two != one
    run(builder, shop, "build")
    assert said(builder, shop) == {"one"}
    forget_builds(builder, shop)
    run(builder, shop, "build")
    assert said(builder, shop) == {"one"}

    # What BuildKit read was a copy: the context holds the repository's own file.
    image = lock_of(shop)["artifact"]["image-id"]
    text = builder.engine.docker("run", "--rm", image, "cat", "/srv/Dockerfile")
    assert text == (shop / "Dockerfile").read_text()
    assert "hidden" not in builder.engine.docker("run", "--rm", image, "ls", "/srv").split()

    # Nothing to look up: neither an engine nor the registry is asked.
    for word in ("--frozen", "--check", "--json"):
        run(builder, shop, "prepare", word, DOCKER_HOST=NOWHERE)
    upgraded = run(builder, shop, "prepare", "--upgrade", f"{registry.address}/acme/tools")
    assert f"{tools}: {one} → {two}" in upgraded.stderr
    assert lock_of(shop)["build"]["base"] == {tools: two, "busybox:1.36": busybox}
    assert beside(shop) == {f"{tools}@{two}"}
    assert "artifact" not in lock_of(shop)
    # Another image, so another name: a tag is never given to a second one.
    assert upgraded.stdout.startswith(f"{first}-base-")
    run(builder, shop, "build")
    assert said(builder, shop) == {"two"}
    assert not run(builder, shop, "prepare", "--check").stdout


def test_an_image_of_this_engine_alone_is_known_by_its_id(builder: Fleet, shop: Path) -> None:
    publish(builder, "one")
    (shop / "Dockerfile").write_text("FROM tools:local\nCOPY . /srv\n")
    commit_all(shop)
    builder.engine.docker("build", "--tag", "tools:local", "-", stdin="FROM busybox:1.36\n")
    run(builder, shop, "prepare")
    locked = lock_of(shop)["build"]["base"]["tools:local"]
    assert locked.startswith("id:sha256:")

    text = "FROM busybox:1.36\nRUN echo other > /other\n"
    builder.engine.docker("build", "--tag", "tools:local", "-", stdin=text)
    refused = run(builder, shop, "build", expect=3)
    assert f"locked: {locked.removeprefix('id:')}" in refused.stderr
    assert "lockship prepare --upgrade tools:local" in refused.stderr
    run(builder, shop, "prepare", "--upgrade", "tools:local")
    run(builder, shop, "build")
    builder.engine.docker("rmi", "--force", "tools:local")
    (shop / "new").write_text("new")
    commit_all(shop)
    run(builder, shop, "prepare")
    assert "now:    not here" in run(builder, shop, "build", expect=3).stderr


def test_without_an_answer_nothing_is_locked(
    builder: Fleet, registry: Registry, shop: Path
) -> None:
    tools = f"{registry.address}/acme/tools:1"
    stopped = run(builder, shop, "prepare", expect=1, DOCKER_HOST=NOWHERE)
    assert tools in stopped.stderr
    assert "Start Docker" in stopped.stderr
    frozen = run(builder, shop, "prepare", "--frozen", expect=3, DOCKER_HOST=NOWHERE)
    assert f"image {tools}" in frozen.stderr
    assert "image busybox:1.36" in frozen.stderr

    absent = run(builder, shop, "prepare", expect=1)
    assert f"There is no image {tools}" in absent.stderr
    digest = publish(builder, "one")
    builder.home.docker_config.write_text("{}")
    assert f"docker login {registry.address}" in run(builder, shop, "prepare", expect=1).stderr
    assert not (shop / ".shiplock").exists()

    # Where a registry is down, this engine's copy of its image says the digest.
    builder.write_home()
    sh(docker_client(), "pull", "--quiet", tools, env=builder.env())
    registry.stop()
    try:
        noted = run(builder, shop, "prepare")
    finally:
        registry.start()
    assert f"{tools}: pinned as it is here" in noted.stderr
    assert lock_of(shop)["build"]["base"][tools] == digest
