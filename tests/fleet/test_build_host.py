"""A host of the lock builds, and this machine's engine isn't asked."""

from __future__ import annotations

from pathlib import Path

from tests.fleet.shop import Shop, config, image_table
from tests.harness import Fleet
from tests.harness.images import ensure_base_images, image_id

BUILD = '[build]\nhost = "web3"\nsecrets = ["TOKEN"]\n[secrets]\nTOKEN = "env:TOKEN"\n'
DOCKERFILE = """\
FROM busybox:1.36
RUN --mount=type=secret,id=TOKEN,required wc -c < /run/secrets/TOKEN > /size
COPY site /www
STOPSIGNAL SIGKILL
CMD ["httpd", "-f", "-p", "80", "-h", "/www"]
"""


def test_a_build_host_builds_and_hosts_get_it(clean_fleet: Fleet, tmp_path: Path) -> None:
    fleet, env = clean_fleet, {"TOKEN": "t0ken-4711"}
    ensure_base_images(fleet["web3"].engine)
    shop = Shop.create(fleet, tmp_path / "shop", config(hosts=("web1", "web2"), more=BUILD))
    shop.write("Dockerfile", DOCKERFILE)
    shop.commit("Build with a secret")
    shop.run("prepare", env={"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    lock = shop.lock()
    assert lock["build"]["base"]["busybox:1.36"] == f"id:{image_id('busybox:1.36')}"
    assert lock["build"]["host"] == "web3"
    assert lock["hosts"]["web3"]["keys"], "its key is pinned"
    known = fleet.home.known_hosts.read_text()
    fleet.home.known_hosts.write_text("")  # only what the lock pins is needed

    shop.run("deploy", env=env)

    image = shop.lock()["artifact"]["image-id"]
    here = fleet.engine.docker("images", "--no-trunc", "--quiet")
    assert image not in here, "this machine's engine had no part in it"
    for host in ("web1", "web2"):
        assert shop.get(host) == "one\n"
        assert shop.running(host)["Image"] == image
    # With a registry the build host pushes, and the hosts pull.
    shop.write("lockship.toml", config(hosts=("web1", "web2"), more=image_table(fleet) + BUILD))
    shop.write("site/index.html", "two\n")
    shop.commit("Through a registry")
    fleet.home.known_hosts.write_text(known)
    shop.run("prepare")
    deployed = shop.run("deploy", env=env)
    assert shop.lock()["artifact"]["digest"]
    assert "pull image" in deployed.stderr
    assert shop.get("web1") == "two\n"
    images = fleet.engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    assert not [name for name in images if "shop" in name]


def test_a_build_host_that_can_not_build(clean_fleet: Fleet, tmp_path: Path) -> None:
    fleet, env = clean_fleet, {"TOKEN": "t0ken-4711"}
    ensure_base_images(fleet["web3"].engine)
    shop = Shop.create(fleet, tmp_path / "shop", config(hosts=("web1",), more=BUILD))
    shop.run("prepare")
    fleet["web3"].stop_engine()
    failed = shop.run("build", expect=1, env=env)
    assert "web3" in failed.stderr
    assert "hint:" in failed.stderr
    fleet["web3"].start_engine()
    fleet["web3"].rotate_host_key()
    changed = shop.run("build", expect=1, env=env)
    assert "web3" in changed.stderr
    assert "key" in changed.stderr
    assert "artifact" not in shop.lock()
