"""A builder and a registry for the tests of building, and repositories to build from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lockship.build.image import Built, build
from lockship.lock.model import Lock
from lockship.progress import Event
from tests.harness import Fleet
from tests.harness.images import BUSYBOX, PYTHON, image_id
from tests.unit import locks
from tests.unit.locks import commit_all, git

DOCKERFILE = """\
FROM busybox:1.36
COPY . /srv
CMD ["httpd", "-f", "-p", "80", "-h", "/srv"]
"""


@pytest.fixture(scope="session")
def workshop() -> Iterator[Fleet]:
    """A fleet without hosts: a builder, and a registry with TLS and a password."""
    with Fleet.start(hosts=0) as fleet:
        yield fleet


@pytest.fixture
def builder(workshop: Fleet, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """The workshop as this process's own surroundings, empty again after the test."""
    for name, value in workshop.env().items():
        if name not in ("PYTHONPATH",):
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    try:
        yield workshop
    finally:
        workshop.reset()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit: a page and a Dockerfile."""
    path = tmp_path / "shop"
    path.mkdir()
    git(path, "init", "--quiet")
    (path / "Dockerfile").write_text(DOCKERFILE)
    (path / "index.html").write_text("one\n")
    commit_all(path)
    return path


class Recorder:
    """Keeps what was reported."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def lines(self) -> list[str]:
        return [event.step for event in self.events if event.kind == "line"]


@pytest.fixture
def report() -> Recorder:
    return Recorder()


def make_lock(repository: Path, **changes: Any) -> Lock:
    """As `locks.make_lock`, with the pins of the base images that these tests build on."""
    base = {name: f"id:{image_id(name)}" for name in (BUSYBOX[0], PYTHON[0])}
    build = {"base": base, **changes.pop("build", {})}
    return locks.make_lock(repository, build=build, **changes)


Make = Callable[[Path, Lock], Built]


@pytest.fixture
def make(builder: Fleet, report: Recorder) -> Make:
    """Build a lock's image on the workshop's builder."""
    return lambda repository, lock: build(repository, lock, report=report, tty=False)
