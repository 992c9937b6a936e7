"""One lock for hosts of two platforms: each runs the image that was made for its own.

All engines here are of one kind, and say so. A host that is said to run `linux/386` stands for the
other kind: the engine builds and runs that as well, and the two images differ by their content.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from tests.harness import Fleet, TestHost, run_lockship
from tests.unit.locks import commit_all, git

CONFIG = """\
[service]
name = "shop"
[build]
platforms = ["linux/amd64", "linux/386"]
{image}
[roles.web]
hosts = ["web1", "web2"]
[hosts.web2]
platform = "linux/386"
[healthcheck]
path = "/"
port = 8080
"""
DOCKERFILE = """\
FROM --platform=linux/amd64 busybox:1.36 AS programs
FROM scratch
ARG TARGETARCH
COPY --from=programs / /
COPY common /srv/common
COPY $TARGETARCH /srv/
CMD ["httpd", "-f", "-p", "8080", "-h", "/srv"]
"""
PLATFORMS = ("linux/amd64", "linux/386")


def make_shop(path: Path, image: str = "") -> Path:
    path.mkdir()
    git(path, "init", "--quiet")
    (path / "lockship.toml").write_text(CONFIG.format(image=image))
    (path / "Dockerfile").write_text(DOCKERFILE)
    (path / "common").write_text("common\n" * 20_000)
    for platform in ("amd64", "386"):
        (path / platform).mkdir()
        (path / platform / "index.html").write_text(f"one for {platform}\n")
    commit_all(path)
    return path


def lock_of(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / ".shiplock").read_text())


def made(repository: Path) -> list[str]:
    """The image ids that the lock has, by platform, in the order of PLATFORMS."""
    found = lock_of(repository)["artifact"]["platforms"]
    assert set(found) == set(PLATFORMS)
    return [found[platform]["image-id"] for platform in PLATFORMS]


def seen(host: TestHost) -> tuple[str, str]:
    """What runs on a host, and what it serves."""
    (container,) = host.docker("ps", "--quiet", "--filter", "label=dev.lockship.role=web").split()
    image = host.docker("inspect", "--format", "{{.Image}}", container).strip()
    return image, host.docker("exec", container, "cat", "/srv/index.html").strip()


def test_each_host_gets_the_image_of_its_platform_over_ssh(
    clean_fleet: Fleet, tmp_path: Path
) -> None:
    env = clean_fleet.env()
    shop = make_shop(tmp_path / "shop")
    web1, web2 = clean_fleet.hosts[:2]
    run_lockship(["prepare"], shop, env).expect(0)
    printed = run_lockship(["build"], shop, env).expect(0).stdout.split()
    first = made(shop)
    assert (printed, len(set(first))) == (first, 2)
    assert "image-id" not in lock_of(shop)["artifact"]
    plan = json.loads(run_lockship(["deploy", "--plan", "--json"], shop, env).expect(0).stdout)
    shipped = [s["image-id"] for h in plan["hosts"] for s in h["stage"] if s["do"] == "ship-image"]
    assert shipped == first

    run_lockship(["deploy"], shop, env).expect(0)

    assert seen(web1) == (first[0], "one for amd64")
    assert seen(web2) == (first[1], "one for 386")
    again = run_lockship(["deploy"], shop, env).expect(0)
    assert "nothing was to be done" in again.stderr
    status = json.loads(run_lockship(["status", "--json"], shop, env).expect(0).stdout)
    assert status["matches"]

    # A next version, and back: what a host keeps is its own platform's.
    (shop / "386/index.html").write_text("two for 386\n")
    (shop / "amd64/index.html").write_text("two for amd64\n")
    commit_all(shop, "Two")
    run_lockship(["prepare"], shop, env).expect(0)
    run_lockship(["deploy"], shop, env).expect(0)
    second = made(shop)
    assert (seen(web1)[1], seen(web2)[1]) == ("two for amd64", "two for 386")
    run_lockship(["rollback"], shop, env).expect(0)
    assert [seen(web1)[0], seen(web2)[0]] == first
    (journal,) = web2.home.glob(".lockship/*/journal.jsonl")
    told = [json.loads(line)["image-id"] for line in journal.read_text().splitlines()]
    assert told[:3] == [first[1], second[1], first[1]]

    # Hosts of a platform that the lock hasn't: refused before anything starts.
    config = (shop / "lockship.toml").read_text().partition("[hosts.web2]")
    other = config[0].replace("linux/amd64", "linux/arm64")
    (shop / "lockship.toml").write_text(f"{other}[healthcheck]\npath = '/'\nport = 8080\n")
    (shop / "amd64").rename(shop / "arm64")
    commit_all(shop, "For other machines")
    run_lockship(["prepare"], shop, env).expect(0)
    refused = run_lockship(["deploy"], shop, env).expect(3).stderr
    assert "web1 is linux/amd64" in refused
    assert "the lock has linux/arm64, linux/386" in refused
    assert [seen(web1)[0], seen(web2)[0]] == first


ON_BOTH = """\
FROM {base}
ARG TARGETARCH
COPY $TARGETARCH/index.html /srv/second.html
"""


def test_each_host_pulls_the_image_of_its_platform(clean_fleet: Fleet, tmp_path: Path) -> None:
    """Through a registry, and then as the base of a second service, pinned for each platform."""
    registry = clean_fleet.registry
    assert registry is not None
    env = clean_fleet.env()
    name = f"{registry.address}/acme/shop"
    shop = make_shop(tmp_path / "shop", f'[image]\nrepository = "{name}"')
    web1, web2 = clean_fleet.hosts[:2]
    run_lockship(["prepare"], shop, env).expect(0)
    # This machine doesn't trust the registry, only the engine does: no index can be written.
    built = run_lockship(["build"], shop, env).expect(0)
    pushed = {p: each["digest"] for p, each in lock_of(shop)["artifact"]["platforms"].items()}
    assert built.stdout.split() == [f"{name}@{pushed[platform]}" for platform in PLATFORMS]
    assert f"no index under {name}:" in built.stderr
    trusting = env | {"REQUESTS_CA_BUNDLE": str(registry.ca_file)}
    printed = run_lockship(["build"], shop, trusting).expect(0).stdout.strip()
    index = lock_of(shop)["artifact"]["digest"]
    assert printed == f"{name}@{index}"
    tag = lock_of(shop)["image"]["tag"]
    assert registry.manifest("acme/shop", f"{tag}-linux-386")[0] == pushed["linux/386"]

    run_lockship(["deploy"], shop, env).expect(0)

    assert [seen(web1), seen(web2)] == list(
        zip(made(shop), ("one for amd64", "one for 386"), strict=True)
    )
    # Another machine finds all of it in the registry, and then both hold against each other.
    lock = (shop / ".shiplock").read_bytes()
    clean_fleet.engine.docker("image", "prune", "--all", "--force")
    run_lockship(["build"], shop, env).expect(0)
    assert (shop / ".shiplock").read_bytes() == lock
    git(shop, "add", ".shiplock")
    commit_all(shop, "Locked")
    verified = run_lockship(["audit", "verify", "--registry", "--hosts", "--json"], shop, env)
    assert json.loads(verified.expect(0).stdout)["holds"], verified.stdout

    # As a base: what each platform has is asked for where that can be.
    base = f"{name}:{tag}"
    (shop / "Dockerfile").write_text(ON_BOTH.format(base=base))
    commit_all(shop, "On both")
    noted = run_lockship(["prepare"], shop, env).expect(0).stderr
    assert "pinned by their index alone" in noted
    assert lock_of(shop)["build"]["base"] == {base: index}
    assert lock_of(shop)["build"]["base-platforms"] == {base: dict.fromkeys(PLATFORMS, index)}
    assert "as it was" in run_lockship(["prepare", "--frozen"], shop, env).stderr
    run_lockship(["prepare", "--upgrade", base], shop, trusting).expect(0)
    assert lock_of(shop)["build"]["base-platforms"] == {base: pushed}
    run_lockship(["build"], shop, env).expect(0)
    for platform, image in zip(("amd64", "386"), made(shop), strict=True):
        got = clean_fleet.engine.docker("run", "--rm", image, "cat", "/srv/index.html")
        assert got == f"one for {platform}\n"

    # One that it hasn't is named before anything is built.
    config = (shop / "lockship.toml").read_text()
    more = config.replace('"linux/386"]', '"linux/386", "linux/arm64"]')
    (shop / "lockship.toml").write_text(more)
    commit_all(shop, "A third platform")
    refused = run_lockship(["prepare"], shop, trusting).expect(1)
    assert f"{base} isn't made for linux/arm64" in refused.stderr
    assert "linux/amd64, linux/386" in refused.stderr
