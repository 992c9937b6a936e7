"""A service behind the proxy, on hosts that have the proxy's image already."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet.shop import Shop
from tests.harness import Fleet
from tests.harness.images import TRAEFIK, ensure_traefik

DOCKERFILE = """\
FROM python:3.11-slim
COPY app.py /
COPY version /
CMD ["python3", "/app.py"]
"""
HOSTS = ("web1", "web2")


def config(
    name: str = "shop",
    hosts: tuple[str, ...] = HOSTS,
    proxy: str = 'hosts = ["shop.test"]\n',
    more: str = "",
) -> str:
    names = ", ".join(f'"{host}"' for host in hosts)
    return (
        f'[service]\nname = "{name}"\n\n[roles.web]\nhosts = [{names}]\nproxy = true\n\n'
        '[healthcheck]\npath = "/up"\nport = 8000\ninterval = 0.1\nlimit = 10\n\n'
        f"[proxy]\nport = 8000\ndrain = 10\n{proxy}\n{more}"
    )


def service(fleet: Fleet, folder: Path, text: str) -> Shop:
    """A repository of a service with this lockship.toml, not yet deployed."""
    folder.mkdir()
    shop = Shop(fleet, folder)
    shop.git("init", "--quiet")
    shop.write("Dockerfile", DOCKERFILE)
    shutil.copy(Path(__file__).parent / "app.py", folder)
    shop.write("version", "none\n")
    shop.write("lockship.toml", text)
    shop.commit("Begin")
    return shop


def release(shop: Shop, version: str) -> bytes:
    """Deploy a version that says so; return its lock."""
    shop.write("version", f"{version}\n")
    shop.commit(f"Say {version}")
    shop.run("prepare")
    shop.run("deploy")
    return (shop.folder / ".shiplock").read_bytes()


@pytest.fixture(scope="package")
def with_traefik(fleet: Fleet) -> Fleet:
    """The fleet, with the proxy's image here and on two hosts: kept for all of these tests."""
    ensure_traefik(fleet.engine)
    for host in HOSTS:
        ensure_traefik(fleet[host].engine)
    return fleet


@pytest.fixture
def proxied(with_traefik: Fleet) -> Iterator[Fleet]:
    """That fleet, with nothing deployed after the test."""
    try:
        yield with_traefik
    finally:
        with_traefik.reset(keep=TRAEFIK)


@pytest.fixture
def shop(proxied: Fleet, tmp_path: Path) -> Shop:
    return service(proxied, tmp_path / "shop", config())
