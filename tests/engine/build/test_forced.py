"""A forced lock is built from its snapshot: in this clone, after a gc, and in another clone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.build.test_examples import lock_of
from tests.harness import Fleet, run_lockship
from tests.unit.locks import commit_all, git

CONFIG = """\
[service]
name = "shop"
[roles.web]
hosts = ["local"]
"""


@pytest.fixture
def dirty(repository: Path) -> Path:
    """A repository with an edited, a new, a removed and an ignored file."""
    (repository / "lockship.toml").write_text(CONFIG)
    (repository / "gone.html").write_text("gone\n")
    (repository / ".gitignore").write_text("*.log\n")
    commit_all(repository)
    (repository / "index.html").write_text("dirty\n")
    (repository / "new.html").write_text("new\n")
    (repository / "gone.html").unlink()
    (repository / "ignored.log").write_text("ignored\n")
    return repository


def test_it_holds_the_dirty_state_as_it_was_prepared(builder: Fleet, dirty: Path) -> None:
    env = builder.env()
    run_lockship(["prepare", "--force"], dirty, env).expect(0)
    lock = lock_of(dirty)
    (dirty / "index.html").write_text("dirtier\n")
    git(dirty, "reflog", "expire", "--expire=now", "--all")
    git(dirty, "gc", "--quiet", "--prune=now")

    image = run_lockship(["build"], dirty, env).expect(0).stdout.strip()

    listed = builder.engine.docker("run", "--rm", image, "ls", "-A", "/srv").split()
    assert set(listed) == {"Dockerfile", "index.html", "new.html", "lockship.toml", ".gitignore"}
    page = builder.engine.docker("run", "--rm", image, "cat", "/srv/index.html")
    assert page == "dirty\n"
    label = '{{index .Config.Labels "org.opencontainers.image.revision"}}'
    revision = builder.engine.docker("inspect", "--format", label, image).strip()
    assert revision == lock["source"]["snapshot"]
    assert git(dirty, "show", f"{revision}:index.html") == "dirty"


def test_another_clone_needs_the_snapshot_and_says_how(
    builder: Fleet, dirty: Path, tmp_path: Path
) -> None:
    env = builder.env()
    run_lockship(["prepare", "--force"], dirty, env).expect(0)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", f"file://{dirty}", str(clone))
    (clone / ".shiplock").write_bytes((dirty / ".shiplock").read_bytes())

    refused = run_lockship(["build"], clone, env).expect(3)
    ref = f"refs/lockship/snapshots/{lock_of(dirty)['service']['version']}"
    assert f"git fetch origin {ref}:{ref}" in refused.stderr

    git(clone, "fetch", "--quiet", "origin", f"{ref}:{ref}")
    run_lockship(["build"], clone, env).expect(0)
    assert lock_of(clone)["artifact"]["key"]
