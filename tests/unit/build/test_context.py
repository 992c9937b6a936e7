"""The context and the Dockerfile are inside the build folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockship.build.case import refuse_clashes
from lockship.build.context import Context, resolve
from lockship.errors import LockshipError, RefusedError
from lockship.lock.image import Build


@pytest.fixture
def files(tmp_path: Path) -> Path:
    path = tmp_path / "tree"
    (path / "services/api").mkdir(parents=True)
    (path / "services/api/api.dockerfile").write_text("FROM scratch\n")
    (path / "Dockerfile").symlink_to("services/api/api.dockerfile")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/Dockerfile").write_text("FROM scratch\n")
    return path


def test_a_folder_and_another_name(files: Path) -> None:
    folder = files / "services/api"
    found = resolve(files, Build(context="services/api", dockerfile="api.dockerfile"))
    assert found == Context(folder, folder / "api.dockerfile")


def test_symlinks_inside_are_fine(files: Path) -> None:
    assert resolve(files, Build()) == Context(files, files / "services/api/api.dockerfile")


@pytest.mark.parametrize(
    "target", ["/", "../outside", "../tree-beside", "../tree/../outside", "services/../.."]
)
def test_a_context_that_leads_out_is_refused(files: Path, target: str) -> None:
    (files.parent / "tree-beside").mkdir()
    (files / "out").symlink_to(target)
    with pytest.raises(RefusedError, match="leads out of the repository"):
        resolve(files, Build(context="out"))


def test_a_dockerfile_that_leads_out_is_refused(files: Path) -> None:
    (files / "passwd").symlink_to("/etc/passwd")
    (files / "up").symlink_to("../outside")
    (files / "loop").symlink_to("loop")
    for name in ("passwd", "up/Dockerfile", "loop"):
        with pytest.raises(RefusedError):
            resolve(files, Build(dockerfile=name))


def test_an_ignore_file_that_leads_out_is_refused(files: Path) -> None:
    (files / ".dockerignore").symlink_to("/etc/passwd")
    with pytest.raises(RefusedError, match="dockerignore"):
        resolve(files, Build())


def test_what_is_not_there_says_which_key(files: Path) -> None:
    with pytest.raises(LockshipError) as caught:
        resolve(files, Build(context="nowhere"))
    assert "[build] context" in caught.value.hint
    with pytest.raises(LockshipError) as caught:
        resolve(files, Build(dockerfile="nowhere"))
    assert "[build] dockerfile" in caught.value.hint


def test_names_that_clash_without_case() -> None:
    refuse_clashes([b"a", b"b/a", "é".encode(), b"\xff"])
    with pytest.raises(RefusedError, match="'src/Readme' and 'SRC/README'"):
        refuse_clashes([b"src/Readme", b"other", b"SRC/README"])
    with pytest.raises(RefusedError):
        refuse_clashes(["é".encode(), "e\u0301".encode()])
