"""A role behind the proxy that is in networks of its own as well."""

from __future__ import annotations

from pathlib import Path

from tests.fleet.proxy.conftest import config, release, service
from tests.fleet.proxy.test_shared import ask
from tests.harness import Fleet

OPTIONS = '[roles.web.options]\nnetworks = ["back", "front"]\n'
ALL = ["back", "front", "lockship"]


def test_a_role_in_networks_is_served_and_a_killed_deploy_leaves_none_out(
    proxied: Fleet, tmp_path: Path
) -> None:
    """Engines of old connect a container to one network after the other, before it starts."""
    shop = service(proxied, tmp_path / "shop", config(hosts=("web1",), more=OPTIONS))
    release(shop, "shop 1")
    address, docker = proxied["web1"].address, proxied["web1"].docker
    first = shop.running("web1")
    assert sorted(first["NetworkSettings"]["Networks"]) == ALL
    assert ask(address, "shop.test") == "shop 1"

    # As a killed deploy leaves it: made, not started, in the first network only.
    name = first["Name"].removeprefix("/")
    labels = [f"--label={key}={value}" for key, value in first["Config"]["Labels"].items()]
    docker("rm", "--force", name)
    docker("create", f"--name={name}", "--network=lockship", *labels, first["Image"])
    shop.run("deploy")
    again = shop.running("web1")
    assert again["Id"] != first["Id"]
    assert sorted(again["NetworkSettings"]["Networks"]) == ALL
    assert ask(address, "shop.test") == "shop 1"
