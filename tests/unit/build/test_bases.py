"""The Dockerfile that BuildKit reads in place of the tree's, and what is refused before."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockship.build.bases import driver_of, with_digests
from lockship.errors import RefusedError
from lockship.lock.image import LockedBuild

PIN = "sha256:" + "0a" * 32
# docker buildx inspect, of buildx 0.12: commands/inspect.go
DEFAULT = """\
Name:          default
Driver:        docker
Last Activity: 2026-01-02 03:04:05 +0000 UTC

Nodes:
Name:      default
Endpoint:  default
Status:    running
"""


def test_a_copy_is_made_where_a_digest_is_added(tmp_path: Path) -> None:
    file = tmp_path / "api.dockerfile"
    file.write_bytes(b"FROM a:1\nRUN echo \xff\r\nCOPY --from=b x /\n")
    Path(f"{file}.dockerignore").write_text("x\n")
    build = LockedBuild(base={"a:1": PIN, "b": f"id:{PIN}", "unused": PIN})
    copy = with_digests(file, build, tmp_path / "from")
    assert copy == tmp_path / "from/api.dockerfile"
    assert copy.read_bytes() == b"FROM a:1@%s\nRUN echo \xff\r\nCOPY --from=b x /\n" % PIN.encode()
    assert Path(f"{copy}.dockerignore").read_text() == "x\n"
    local = LockedBuild(base={"a:1": f"id:{PIN}", "b": f"id:{PIN}"})
    assert with_digests(file, local, tmp_path / "none") == file


def test_a_lock_from_before_pins_is_refused_with_each_line(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM a:1\nFROM b\n")
    with pytest.raises(RefusedError, match="no pin for b") as caught:
        with_digests(file, LockedBuild(base={"a:1": PIN}), tmp_path / "from")
    assert caught.value.details == ("Dockerfile:2: b",)
    assert "lockship prepare" in caught.value.hint


def test_the_driver_of_a_builder() -> None:
    assert driver_of(DEFAULT) == "docker"
    assert driver_of(DEFAULT.replace("docker\n", "docker-container\n", 1)) == "docker-container"
    assert driver_of("") == ""
