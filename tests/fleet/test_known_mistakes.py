"""Four mistakes that a well-known tool makes. Here each of them would fail a test."""

import json
from pathlib import Path

import pytest

from tests.fleet.shop import Shop, config, environment, image_table
from tests.harness import Fleet

HOST = "web1"


@pytest.fixture
def shop(clean_fleet: Fleet, tmp_path: Path) -> Shop:
    return Shop.create(clean_fleet, tmp_path / "shop", config(hosts=(HOST,)))


def image_labels(shop: Shop) -> dict[str, str]:
    image_id = shop.running(HOST)["Image"]
    (image,) = json.loads(shop.engine(HOST).docker("image", "inspect", image_id))
    return dict(image["Config"]["Labels"])


def test_commit_between_prepare_and_build_changes_nothing(shop: Shop) -> None:
    """The tag named a commit that the image wasn't built from."""
    prepared = shop.run("prepare").stdout.strip()
    revision = shop.git("rev-parse", "HEAD")
    lock = shop.lock()
    shop.write("site/index.html", "two\n")
    shop.write("lockship.toml", config(hosts=(HOST,), more='[env]\nLATER = "yes"\n'))
    shop.git("add", "site", "lockship.toml")
    shop.git("commit", "--quiet", "--message", "Meanwhile")

    shop.run("build")
    shop.run("deploy")
    built = shop.lock()
    del built["artifact"]
    assert built == lock
    assert shop.get(HOST) == "one\n"
    assert image_labels(shop)["org.opencontainers.image.revision"] == revision
    assert image_labels(shop)["org.opencontainers.image.version"] == prepared == revision[:12]
    variables = environment(shop.running(HOST))
    assert variables["LOCKSHIP_VERSION"] == prepared
    assert "LATER" not in variables
    assert shop.journal(HOST)[-1]["version"] == prepared


def test_same_dirty_content_is_the_same_version(shop: Shop) -> None:
    """The same dirty content got another random tag each time."""
    shop.write("site/index.html", "dirty\n")
    shop.run("prepare", expect=3)
    first = shop.run("prepare", "--force").stdout.strip()
    lock = (shop.folder / ".shiplock").read_bytes()
    assert shop.run("prepare", "--force").stdout.strip() == first
    assert (shop.folder / ".shiplock").read_bytes() == lock

    # The same content once more, by another road: staged, in a folder that was empty for a while.
    (shop.folder / ".shiplock").unlink()
    shop.git("checkout", "--", "site/index.html")
    shop.write("site/index.html", "dirty\n")
    shop.git("add", "site/index.html")
    assert shop.run("prepare", "--force").stdout.strip() == first
    assert (shop.folder / ".shiplock").read_bytes() == lock

    shop.run("build")
    artifact = shop.lock()["artifact"]
    shop.run("prepare", "--force")
    assert shop.lock()["artifact"] == artifact
    shop.run("build")
    assert shop.lock()["artifact"] == artifact
    tags = shop.fleet.engine.docker("images", "shop", "--format", "{{.Tag}}").split()
    assert tags == [first]
    shop.run("deploy")
    assert shop.get(HOST) == "dirty\n"
    assert environment(shop.running(HOST))["LOCKSHIP_VERSION"] == first


@pytest.mark.parametrize("forced", [False, True])
def test_file_edited_after_prepare_is_not_in_the_image(shop: Shop, forced: bool) -> None:
    """Edited files were shipped under a clean commit's tag."""
    if forced:
        shop.write("site/index.html", "locked\n")
    shop.run("prepare", *(["--force"] if forced else []))
    lock = shop.lock()
    shop.write("site/index.html", "edited\n")
    shop.write("site/new.html", "new\n")
    shop.write("Dockerfile", "FROM nothing-of-this-name\n")
    (shop.folder / "site/up").unlink()
    shop.run("build")
    shop.run("deploy")
    assert shop.get(HOST) == ("locked\n" if forced else "one\n")
    engine, container = shop.engine(HOST), shop.running(HOST)["Id"]
    assert engine.docker("exec", container, "ls", "/www").split() == ["index.html", "up"]
    snapshot = lock["source"].get("snapshot", lock["source"]["commit"])
    assert image_labels(shop)["org.opencontainers.image.revision"] == snapshot


@pytest.mark.parametrize("registry", [True, False], ids=["registry", "ssh"])
def test_build_in_one_clone_and_deploy_from_another(
    clean_fleet: Fleet, tmp_path: Path, registry: bool
) -> None:
    """Each clone computed a version of its own."""
    more = image_table(clean_fleet) if registry else ""
    one = Shop.create(clean_fleet, tmp_path / "one", config(hosts=(HOST,), more=more))
    version = one.run("prepare").stdout.strip()
    one.run("build")
    artifact = one.lock()["artifact"]
    one.commit("Lock it")

    clone = tmp_path / "elsewhere/two"
    one.git("clone", "--quiet", str(one.folder), str(clone))
    two = Shop(clean_fleet, clone)
    two.run("prepare", "--check", env={"TZ": "Asia/Tokyo", "VERSION": "9"})
    if registry:
        # The other clone is on a machine that never saw the image: only the registry has it.
        clean_fleet.engine.remove_everything(images=True, keep=["busybox:1.36"])
    two.run("deploy")
    assert two.get(HOST) == "one\n"
    assert two.running(HOST)["Image"] == artifact["image-id"]
    assert environment(two.running(HOST))["LOCKSHIP_VERSION"] == version
    assert two.lock() == one.lock()
    assert one.git("status", "--porcelain") == two.git("status", "--porcelain") == ""
    assert "nothing was to be done" in one.run("deploy").stderr


def test_lock_without_artifact_is_built_the_same_in_another_clone(shop: Shop) -> None:
    """Only the lock was committed: whoever deploys it first builds it."""
    version = shop.run("prepare").stdout.strip()
    shop.commit("Lock it")
    clone = shop.folder.with_name("two")
    shop.git("clone", "--quiet", "--depth=1", f"file://{shop.folder}", str(clone))
    two = Shop(shop.fleet, clone)
    two.run("prepare", expect=3)
    two.git("fetch", "--quiet", "--deepen=1")
    two.run("prepare", "--check")
    two.run("deploy")
    shop.run("build")
    assert two.lock() == shop.lock()
    assert environment(two.running(HOST))["LOCKSHIP_VERSION"] == version


def test_two_machines_build_the_same_lock(shop: Shop) -> None:
    """No registry: each machine builds an image of its own, with another id, from the same lock."""
    shop.run("prepare")
    shop.commit("Lock it")
    clone = shop.folder.with_name("two")
    shop.git("clone", "--quiet", str(shop.folder), str(clone))
    shop.run("deploy")
    engine = shop.fleet.engine
    engine.remove_everything(images=True, keep=["busybox:1.36"])
    engine.docker("builder", "prune", "--all", "--force")
    two = Shop(shop.fleet, clone)
    two.run("build")
    assert two.lock()["artifact"]["key"] == shop.lock()["artifact"]["key"]
    assert two.lock()["artifact"]["image-id"] != shop.lock()["artifact"]["image-id"]
    (planned,) = json.loads(two.run("deploy", "--plan", "--json").stdout)["hosts"]
    assert "remove-container" not in [step["do"] for step in planned["stage"]]
    two.run("deploy")
    assert two.get(HOST) == "one\n"
    assert two.running(HOST)["Image"] == two.lock()["artifact"]["image-id"]
    assert len(two.containers(HOST)) == 1
    two.run("status")
    two.run("rollback", expect=1)
