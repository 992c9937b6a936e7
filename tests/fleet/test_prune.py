"""What is kept for a rollback, what prune leaves of it, and versions that are kept no more."""

from pathlib import Path

from tests.fleet.shop import Shop, config, image_table, impatient
from tests.harness import Fleet

HOSTS = ("web1",)


def text(fleet: Fleet, retain: int) -> str:
    more = image_table(fleet) + f"\n[deploy]\nretain = {retain}\n"
    return config(hosts=HOSTS, ports="", more=more)


def test_prune_keeps_what_a_rollback_needs_and_the_rest_is_pulled(
    clean_fleet: Fleet, tmp_path: Path
) -> None:
    shop = Shop.create(clean_fleet, tmp_path / "shop", text(clean_fleet, 3))
    versions = [shop.release(f"{number}\n") for number in range(3)]
    web1 = clean_fleet["web1"]
    unfinished = shop.run_folder("web1") / "releases.json.new"
    unfinished.write_text("[")
    (first,) = (
        each["Image"]
        for each in shop.containers("web1")
        if each["Config"]["Labels"]["dev.lockship.version"] == versions[0]
    )

    shop.write("lockship.toml", text(clean_fleet, 1))
    shop.commit("Keep less")
    shop.run("prepare")
    assert "-y" in shop.run("prune", expect=2).stderr
    assert f"shop-web-{versions[0]}" in shop.run("prune", "--plan").stdout
    shop.run("prune", "-y", "--locks")
    assert not unfinished.exists()
    kept = {each["Config"]["Labels"]["dev.lockship.version"] for each in shop.containers("web1")}
    assert kept == set(versions[1:])
    assert first not in web1.docker("images", "--quiet", "--no-trunc").split()
    assert len(list((shop.run_folder("web1") / "locks").iterdir())) == 2
    assert "nothing was to be done" in shop.run("prune", "-y").stderr

    quick = shop.run("rollback", "--plan").stdout
    assert not {"pull", "create"} & set(quick.split())
    shop.run("rollback")
    assert shop.get_inside("web1") == "1\n"

    shop.write("lockship.toml", impatient(text(clean_fleet, 1)))
    (shop.folder / "site/up").unlink()
    broken = shop.commit("Break it")
    shop.run("prepare")
    shop.run("deploy", expect=1)
    said = shop.run("rollback", broken, "--plan").stderr
    assert f"{broken} never served here" in said

    image = shop.running("web1")["Image"]
    shop.run("remove", "-y")
    assert image not in web1.docker("images", "--quiet", "--no-trunc").split()
    back = shop.run("rollback", versions[1])
    assert f"{versions[1]} served before" in back.stderr
    assert "pull image" in back.stderr
    assert shop.get_inside("web1") == "1\n"
