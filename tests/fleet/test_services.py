"""Two services of one repository on one host: each with its own content, version and lock."""

from __future__ import annotations

from pathlib import Path

from tests.fleet.shop import DOCKERFILE, Shop
from tests.harness import Fleet, Result, run_lockship

TOML = """\
[service]
name = "{name}"

[source]
paths = ["services/{name}", "shared"]

[build]
context = "services/{name}"

[roles.web]
hosts = ["web1"]
ports = ["{port}:80"]

[healthcheck]
path = "/"
port = 80
interval = 0.1
"""


def test_each_goes_its_own_way(clean_fleet: Fleet, tmp_path: Path) -> None:
    shop = Shop.create(clean_fleet, tmp_path / "shop")

    def run(service: str, *words: str, expect: int = 0) -> Result:
        folder = shop.folder / "services" / service
        return run_lockship(words, folder, clean_fleet.env()).expect(expect)

    def page(service: str, text: str) -> None:
        shop.write(f"services/{service}/site/index.html", text)

    for name, port in (("api", 8081), ("front", 8082)):
        shop.write(f"services/{name}/lockship.toml", TOML.format(name=name, port=port))
        shop.write(f"services/{name}/Dockerfile", DOCKERFILE)
        page(name, f"{name} 1\n")
    shop.write("shared/lib", "one\n")
    shop.commit("Two services")
    for name in ("api", "front"):
        run(name, "prepare")
        run(name, "deploy")
    assert (shop.get("web1", 8081), shop.get("web1", 8082)) == ("api 1\n", "front 1\n")
    front = shop.running("web1", project="front")["Id"]

    # A change of one, dirty or committed, is nothing to the other.
    page("api", "api 2\n")
    shop.git("add", "--all", ":!services/api/site")
    shop.git("commit", "--quiet", "--message", "Lock both")
    assert "services/api/site/index.html" in run("api", "prepare", expect=3).stderr
    assert run("front", "prepare", "--check").stdout == ""
    version = shop.commit("Another page of the API")
    assert run("api", "prepare").stdout == f"{version}\n"
    assert run("front", "prepare", "--check").stdout == ""
    run("api", "deploy")
    assert "nothing was to be done" in run("front", "deploy").stderr
    assert (shop.get("web1", 8081), shop.get("web1", 8082)) == ("api 2\n", "front 1\n")
    assert shop.running("web1", project="front")["Id"] == front

    # What both have makes both another version.
    shop.write("shared/lib", "two\n")
    both = shop.commit("Change what is shared")
    assert [run(name, "prepare").stdout for name in ("api", "front")] == [f"{both}\n"] * 2
