"""Two services, and each test's beginning: one version runs on every host, nothing is broken.

All tests here share them. The end of each test, a deploy that went well, is the next one's
beginning; only where a test failed, or broke the other service's engine, it's deployed anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.fleet.failing.service import Service
from tests.harness import Fleet


@pytest.fixture(scope="package")
def _beside(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    try:
        yield Service.create(fleet, tmp_path_factory.mktemp("beside") / "f", "web1", "web2")
    finally:
        fleet.reset()


@pytest.fixture(scope="package")
def _in_the_way(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("way") / "f"
    try:
        yield Service.create(fleet, folder, "web1", "web2", in_the_way=True)
    finally:
        fleet.reset()


@contextmanager
def _mended(service: Service) -> Iterator[None]:
    """Whatever a test did, and wherever it failed: no fault is left for the next one."""
    service.stand()
    try:
        yield
    finally:
        service.mend()


@pytest.fixture
def beside(_beside: Service) -> Iterator[Service]:
    """On web1 and web2, without a published port: a new version starts beside the old one."""
    with _mended(_beside):
        yield _beside


@pytest.fixture
def in_the_way(_in_the_way: Service) -> Iterator[Service]:
    """On web1 and web2, with a published port: the old version stops before the new one starts."""
    with _mended(_in_the_way):
        yield _in_the_way
