"""Images from registries that can't be reached, had by their digests from a real one instead."""

from __future__ import annotations

from pathlib import Path

from tests.fleet.shop import Shop, config
from tests.harness import Fleet
from tests.harness.engine import docker_client
from tests.harness.shell import sh

TABLES = """\
[image]
repository = "{address}/acme/shop"

[mirrors]
"docker.io" = "{address}/hub"
"registry.invalid" = "{address}/far"

[accessories.cache]
image = "registry.invalid/team/cache:2"
hosts = ["web1"]
command = ["sleep", "1000"]
stop-timeout = 0.1
"""
DOCKERFILE = """\
FROM tools:1
COPY site /www
STOPSIGNAL SIGKILL
CMD ["httpd", "-f", "-p", "80", "-h", "/www"]
"""


def publish(fleet: Fleet, path: str, said: str) -> str:
    """Put an image into the registry, and forget it here; return its digest."""
    assert fleet.registry is not None
    name = f"{fleet.registry.address}/{path}"
    text = f"FROM busybox:1.36\nRUN echo {said} > /said\n"
    fleet.engine.docker("build", "--quiet", "--tag", name, "-", stdin=text)
    sh(docker_client(), "push", "--quiet", name, env=fleet.env())
    fleet.engine.docker("rmi", name)
    return fleet.registry.manifest(*path.split(":"))[0]


def test_bases_and_accessories_come_from_mirrors(clean_fleet: Fleet, tmp_path: Path) -> None:
    assert clean_fleet.registry is not None
    address = clean_fleet.registry.address
    more = TABLES.format(address=address)
    shop = Shop.create(clean_fleet, tmp_path / "shop", config(hosts=("web1",), more=more))
    shop.write("Dockerfile", DOCKERFILE)
    shop.commit("Stand on tools")
    missing = shop.run("prepare", expect=1)
    assert f"There is no image tools:1: {address}/hub doesn't have it" in missing.stderr
    tools = publish(clean_fleet, "hub/library/tools:1", "tools")
    cache = publish(clean_fleet, "far/team/cache:2", "cache")

    shop.run("prepare")
    lock = shop.lock()
    assert lock["build"]["base"] == {"tools:1": tools}
    assert lock["accessories"]["cache"]["image"] == f"registry.invalid/team/cache:2@{cache}"
    shop.run("accessory", "boot")
    shop.run("deploy")

    assert shop.get("web1") == "one\n"
    assert (
        clean_fleet["web1"].docker("exec", shop.running("web1")["Id"], "cat", "/said") == "tools\n"
    )
    beside = clean_fleet["web1"].docker("ps", "--quiet", "--filter", "label=dev.lockship.accessory")
    assert clean_fleet["web1"].docker("exec", beside.strip(), "cat", "/said") == "cache\n"
    assert "nothing was to be done" in shop.run("accessory", "boot").stderr
    shop.run("status")
    shop.git("add", "--all")
    shop.git("commit", "--quiet", "--message", "Lock")
    shop.run("audit", "verify", "--hosts", "--registry")
