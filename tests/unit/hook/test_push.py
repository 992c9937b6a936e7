"""Real pushes to a real remote: what the hook stops, what it says, and that its remedy mends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from lockship.lock.fingerprint import build_key
from lockship.lock.image import Artifact
from lockship.prepare.prepare import prepare
from tests.unit.cli.reference import DOCS
from tests.unit.gitrepo import CONFIG, Repo
from tests.unit.hook import scenes
from tests.unit.hook.scenes import LOCK, SCENES, Scene

PAGE = (DOCS / "hooks.md").read_text()
_ID = re.compile(r"\b(?:[0-9a-f]{40}|[0-9a-f]{12})\b")


def on_remote(repo: Repo, ref: str = "refs/heads/main") -> str:
    return repo.git("ls-remote", "origin", ref).partition("\t")[0]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_scene(scene: Scene, tmp_path: Path) -> None:
    config = scene.config.replace("require-artifact = true\n", "")
    repo = scenes.begin(tmp_path, config)
    if config != scene.config:  # nothing is built yet, so that policy comes once something is
        repo.write("lockship.toml", CONFIG + scene.config)
        repo.commit("Want an artifact")
        lock = prepare(repo.path).lock
        scenes.locked(
            repo, replace(lock, artifact=Artifact(key=build_key(lock), image_id=scenes.IMAGE))
        )
        assert scenes.push(repo).status == 0
    before = on_remote(repo)
    scene.act(repo)
    done = scenes.push(repo, *scene.refs)
    assert masked(done.ours) == masked(told_of(scene.name)), done.ours
    assert len(done.ours.splitlines()) <= 10
    if scene.refused is None:
        assert done.status == 0
        assert on_remote(repo) == repo.head
        return
    assert done.status != 0
    assert on_remote(repo) == before
    assert repo.head[:12] in done.ours
    assert f" {scene.refused}:" in done.ours or not scene.refused
    if scene.mended:
        scenes.shell(repo, done.mend)
        if repo.git("status", "--porcelain", "--", LOCK):
            repo.git("add", LOCK)
            repo.git("commit", "--quiet", "--message", "Lock it")
        again = scenes.push(repo)
        assert again.status == 0, again.said


def told_of(name: str) -> str:
    """Return the message in the page's part about a scene, which is marked with its name."""
    return PAGE.split(f"<!-- {name} -->\n```text\n")[1].split("```\n")[0]


def masked(text: str) -> str:
    """Return a message with its ids numbered: they change with every key that a lock gets."""
    seen: dict[str, str] = {}
    return _ID.sub(lambda found: seen.setdefault(found[0][:12], f"<{len(seen)}>"), text)


def test_the_page_shows_every_scene_and_no_other() -> None:
    assert re.findall(r"<!-- (.*) -->\n```text\n", PAGE) == [scene.name for scene in SCENES]
