"""`audit verify --rebuild`: a locked image is built once more from nothing, and compared."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from lockship.cli.main import run
from lockship.lock.fingerprint import build_key
from lockship.lock.image import Artifact
from lockship.lock.model import Lock
from lockship.lock.writer import dump
from tests.engine.build.conftest import Make, make_lock
from tests.harness import Fleet
from tests.unit import locks
from tests.unit.locks import commit_all, git

_SAME = """\
FROM busybox:1.36
COPY . /srv
RUN mkdir /made && echo same > /made/file && ln -s file /made/link
CMD ["httpd", "-f"]
"""
# The clock's seconds alone may be the same in both.
_DATE = "RUN date > /made/when && cat /proc/sys/kernel/random/uuid >> /made/when\n"


def committed(repository: Path, make: Make, **changes: Any) -> Lock:
    """Build the lock of HEAD, and commit it with what was built."""
    lock = make_lock(repository, source=described(repository), **changes)
    built = replace(lock, artifact=make(repository, lock).artifact)
    (repository / ".shiplock").write_bytes(dump(built))
    commit_all(repository, "Lock")
    return built


def described(repository: Path) -> dict[str, str]:
    author, at, subject = git(repository, "log", "-1", "--format=%an <%ae>%n%cI%n%s").splitlines()
    return {"author": author, "committed_at": at, "subject": subject}


def verify(repository: Path, *words: str, status: int = 0, as_json: bool = True) -> Any:
    """Run `audit verify`; return its data, or what it says on stderr."""
    out, said = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with (
        contextlib.chdir(repository),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(said),
    ):
        found = run(["audit", "verify", *words, *(["--json"] if as_json else [])])
    for stream in (out, said):
        stream.flush()
        stream.seek(0)
    assert found == status, said.read() + out.read()
    return json.loads(out.read()) if as_json and status in (0, 3) else said.read()


def folders() -> list[Path]:
    """What lies in this test's cache folder and beside it: build folders, and temporary ones."""
    return sorted([*(Path.home() / ".cache").rglob("*"), *Path(tempfile.gettempdir()).iterdir()])


def images(builder: Fleet) -> list[str]:
    said = builder.engine.docker(
        "images", "--all", "--no-trunc", "--format={{.ID}} {{.Repository}}:{{.Tag}}"
    )
    return sorted(said.splitlines())


def test_what_is_repeatable_holds_and_what_is_not_is_named(
    repository: Path, make: Make, builder: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (repository / "Dockerfile").write_text(_SAME)
    commit_all(repository, "Repeatable")
    same = committed(repository, make)
    before, cache = images(builder), folders()
    found = verify(repository, "--rebuild", same.service.version)
    layers = found["rebuilt"]["layers"]
    assert (found["holds"], layers >= 3) == (True, True)
    # Files have the times of their checkout or their step, and nothing else differs.
    assert found["rebuilt"]["identical"] + found["rebuilt"]["times"] == layers
    assert found["rebuilt"]["identical"] >= 1  # the base
    # Nothing is left: no image, no name, no folder.
    assert images(builder) == before
    assert folders() == cache

    (repository / "Dockerfile").write_text(_SAME.replace("CMD", _DATE + "CMD"))
    commit_all(repository, "A date")
    dated = committed(repository, make)
    found = verify(repository, "--rebuild", dated.service.version[:8], status=3)
    [finding] = found["findings"]
    assert (finding["about"], finding["kind"], finding["version"]) == (
        "build", "layer", dated.service.version,
    )  # fmt: skip
    assert finding["field"] == f"layer {layers + 1}"
    assert "date > /made/when" in finding["what"]
    assert finding["what"].endswith(" made other files: made/when (content)")
    assert found["rebuilt"]["identical"] + found["rebuilt"]["times"] == layers


def test_a_recorded_image_that_is_another(repository: Path, make: Make, builder: Fleet) -> None:
    """Somebody put another image's id into the lock: its layers and settings aren't these."""
    (repository / "Dockerfile").write_text(_SAME)
    commit_all(repository, "Repeatable")
    lock = make_lock(repository, source=described(repository))
    key = make(repository, lock).artifact.key
    folder = repository.parent / "forged"
    folder.mkdir()
    (folder / "Dockerfile").write_text(
        _SAME.replace("COPY . /srv", "COPY index.html /srv/") + "ENV BACKDOOR=1\nUSER 7\n"
    )
    (folder / "index.html").write_text("<script>\n")
    labels = subprocess.run(
        ["docker", "inspect", "--format={{json .Config.Labels}}", lock.image.reference],
        capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    words = [f"--label={k}={v}" for k, v in json.loads(labels).items()]
    forged = builder.engine.docker("build", "--quiet", *words, str(folder)).strip()
    swapped = replace(lock, artifact=Artifact(key=key, image_id=forged))
    (repository / ".shiplock").write_bytes(dump(swapped))
    commit_all(repository, "Lock")
    found = verify(repository, "--rebuild", lock.service.version, status=3)
    told = {each["field"]: each["what"] for each in found["findings"]}
    assert sorted(told) == ["Env", "User", "layer 2"]
    assert "index.html (content)" in told["layer 2"]
    assert "Dockerfile (new)" in told["layer 2"]


def test_an_image_that_is_gone_and_a_lock_without_one(
    repository: Path, make: Make, builder: Fleet
) -> None:
    lock = make_lock(repository, source=described(repository))
    (repository / ".shiplock").write_bytes(dump(lock))
    commit_all(repository, "Lock")
    said = verify(repository, "--rebuild", lock.service.version, status=2)
    assert "records an image" in said
    assert "No committed lock is of version" in verify(repository, "--rebuild", "none", status=2)
    image = {"repository": "example.com/shop", "digest": "sha256:" + "ab" * 32}
    ready = locks.make_lock(repository, image=image, source=described(repository))
    found = Artifact(
        key=build_key(ready), image_id="sha256:" + "cd" * 32, digest=ready.image.digest
    )
    (repository / ".shiplock").write_bytes(dump(replace(ready, artifact=found)))
    commit_all(repository, "Lock of a pre-built image")
    assert "built by somebody else" in verify(
        repository, "--rebuild", ready.service.version, status=2
    )
    built = committed(repository, make)
    assert built.artifact is not None
    builder.engine.docker("rmi", "--force", built.artifact.images[0].image_id)
    found = verify(repository, "--rebuild", built.service.version, status=3)
    [finding] = found["findings"]
    assert (finding["kind"], finding["about"]) == ("gone", "build")


def test_an_image_that_only_the_registry_has(repository: Path, make: Make, builder: Fleet) -> None:
    assert builder.registry
    name = f"{builder.registry.address}/acme/shop"
    lock = committed(repository, make, image={"repository": name})
    assert lock.artifact is not None
    builder.engine.docker("rmi", "--force", lock.artifact.images[0].image_id)
    said = verify(repository, "--rebuild", lock.service.version, as_json=False)
    version = lock.service.version
    assert f"{version} built again: of 2 layers 1 the same to the byte, 1 but for files'" in said
    assert "1 lockfile state checked: all holds" in said
