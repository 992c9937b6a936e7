"""A configuration with all that a container is made of, prepared, deployed and seen on hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests import everything
from tests.fleet.shop import Shop
from tests.harness import Fleet

HOSTS = ("web1", "web2")
SECRETS = {"SHOP_TOKEN": "t0ken", "SHOP_OTHER": "0ther"}


def variables(container: dict[str, Any]) -> dict[str, str]:
    said = (each.partition("=")[::2] for each in container["Config"]["Env"])
    return {name: value for name, value in said if name not in ("PATH", "LOCKSHIP_VERSION")}


def test_what_the_configuration_says_is_what_the_hosts_run(
    clean_fleet: Fleet, tmp_path: Path
) -> None:
    (text,) = (data.decode() for data in everything.files("deployed").values())
    shop = Shop.create(clean_fleet, tmp_path / "shop", text)
    shop.run("prepare")
    shop.run("deploy", env=SECRETS)
    web = {host: shop.running(host, "web") for host in HOSTS}
    worker = {host: shop.running(host, "worker") for host in HOSTS}

    service = {"LOCKSHIP_SERVICE": "shop"}
    said = {"GREETING": "all", "COLOUR": "role", "REGION": "role", "TOKEN": "t0ken"}
    assert variables(web["web1"]) == service | said
    assert variables(web["web2"]) == service | said | {"REGION": "tag"}
    said = {"GREETING": "all", "COLOUR": "all", "REGION": "all", "OTHER": "0ther"}
    assert variables(worker["web1"]) == service | said
    assert variables(worker["web2"]) == service | said | {"REGION": "tag"}

    made, host = web["web2"]["Config"], web["web2"]["HostConfig"]
    assert made["Cmd"] == ["httpd", "-f", "-p", "8000", "-h", "/www"]
    assert made["Labels"]["com.example.team"] == "ships"
    assert made["StopTimeout"] == 3
    assert made["Healthcheck"] == {"Test": ["NONE"]}
    assert host["Binds"] == ["shop-data:/data", "/srv:/srv:ro"]
    assert host["PortBindings"] == {"8000/tcp": [{"HostIp": "", "HostPort": "8081"}]}
    assert host["RestartPolicy"]["Name"] == "on-failure"
    assert (host["Memory"], host["NanoCpus"], host["CapDrop"]) == (64 << 20, 500_000_000, ["ALL"])
    assert shop.get("web2", 8081) == "one\n"
    assert worker["web1"]["HostConfig"]["Init"] is True

    inside = ("exec", worker["web2"]["Id"], "nslookup", "web.shop.internal")
    address = web["web2"]["NetworkSettings"]["Networks"]["back"]["IPAddress"]
    assert address in clean_fleet["web2"].docker(*inside)

    shop.run("deploy", env=SECRETS)
    again = [shop.running(host, role)["Id"] for role in ("web", "worker") for host in HOSTS]
    assert again == [each[host]["Id"] for each in (web, worker) for host in HOSTS]
