"""The examples are prepared and built by the command line as a newcomer would, and they serve."""

from __future__ import annotations

import json
import shutil
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Fleet, HarnessError, run_lockship, until
from tests.unit.locks import commit_all, git

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if (path / "lockship.toml").exists())


def built(fleet: Fleet, name: str, tmp_path: Path) -> Path:
    path = tmp_path / name
    shutil.copytree(EXAMPLES / name, path, ignore=shutil.ignore_patterns("__pycache__"))
    git(path, "init", "--quiet")
    commit_all(path, "The example")
    for words in (["prepare"], ["build"], ["prepare", "--check"]):
        run_lockship(words, path, fleet.env()).expect(0)
    return path


def lock_of(path: Path) -> dict[str, Any]:
    return tomllib.loads((path / ".shiplock").read_text())


class Container:
    """A running container on the builder, by its own address."""

    def __init__(self, fleet: Fleet, path: Path, *command: str, volumes: str = "") -> None:
        lock = lock_of(path)
        self.fleet = fleet
        self.id = fleet.engine.docker(
            "run", "--detach", "--env", f"LOCKSHIP_VERSION={lock['service']['version']}",
            *(("--volume", volumes) if volumes else ()),
            lock["artifact"]["image-id"], *command,
        ).strip()  # fmt: skip
        inspected = json.loads(fleet.engine.docker("inspect", self.id))[0]
        self.address = inspected["NetworkSettings"]["IPAddress"]

    def get(self, path: str, data: bytes | None = None, *, accept: str = "") -> bytes:
        headers = {"Accept-Encoding": accept} if accept else {}
        request = urllib.request.Request(f"http://{self.address}{path}", data, headers)
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            body: bytes = answer.read()
        return body

    def answers(self, path: str) -> bool:
        try:
            return bool(self.get(path))
        except OSError:
            return False

    def until_answers(self, path: str) -> None:
        until(lambda: self.answers(path), 20, lambda: self.fleet.engine.docker("logs", self.id))

    def healthy(self) -> bool:
        state = self.fleet.engine.docker("inspect", "--format", "{{.State.Health.Status}}", self.id)
        return state.strip() == "healthy"

    def stops_within(self, seconds: int) -> bool:
        """Whether SIGTERM is enough: Docker's SIGKILL would be exit status 137."""
        self.fleet.engine.docker("stop", "--time", str(seconds), self.id)
        status = self.fleet.engine.docker("inspect", "--format", "{{.State.ExitCode}}", self.id)
        return status.strip() in {"0", "143"}


def test_each_example_says_what_it_is() -> None:
    assert NAMES == ["guestbook", "monorepo", "site"], "a new example needs a test below"
    for name in NAMES:
        assert (EXAMPLES / name / "README.md").exists()
        assert list((EXAMPLES / name).rglob(".dockerignore"))


def test_site(builder: Fleet, tmp_path: Path) -> None:
    container = Container(builder, built(builder, "site", tmp_path))
    container.until_answers(":8080/")
    assert b"The harbour" in container.get(":8080/")
    packed = container.get(":8080/style.css", accept="gzip")
    assert packed.startswith(b"\x1f\x8b")
    until(container.healthy, 20, "the image's health check")
    assert container.stops_within(5)


def test_guestbook(builder: Fleet, tmp_path: Path) -> None:
    path = built(builder, "guestbook", tmp_path)
    web = Container(builder, path, volumes="guestbook-data:/data")
    worker = Container(builder, path, "python", "-m", "guestbook.worker",
                       volumes="guestbook-data:/data")  # fmt: skip
    web.until_answers(":8000/up")
    assert web.get(":8000/version").decode().strip() == lock_of(path)["service"]["version"]
    web.get(":8000/", data=b"name=Ada&message=A+%3Cfine%3E+harbour")
    until(lambda: b"A &lt;fine&gt; harbour" in web.get(":8000/"), 10, "the worker's approval")
    until(lambda: web.healthy() and worker.healthy(), 20, "both health checks")
    assert web.stops_within(5)
    assert worker.stops_within(5)
    assert "worker stopped" in builder.engine.docker("logs", worker.id)


def test_monorepo(builder: Fleet, tmp_path: Path) -> None:
    path = built(builder, "monorepo", tmp_path)
    container = Container(builder, path)
    container.until_answers(":8081/up")
    assert json.loads(container.get(":8081/items/rope")) == {"name": "rope", "count": 120}
    assert json.loads(container.get(":8081/items"))["warehouse"] == "north quay"
    with pytest.raises(HarnessError):
        builder.engine.docker("exec", container.id, "ls", "/app/docs")
    assert container.stops_within(5)
