"""What bases are for each of several platforms is kept with their pins, and named where not."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from lockship.dockerfile.images import images
from lockship.errors import LockshipError, RefusedError
from lockship.lock.fingerprint import build_key, sealed
from lockship.lock.reader import read
from lockship.lock.writer import write
from lockship.prepare.prepare import check, prepare
from tests.unit.gitrepo import Repo, create
from tests.unit.locks import PINS, leave_pins

BASE = "busybox:1.36"
AMD, ARM = "sha256:" + "a" * 64, "sha256:" + "b" * 64
BOTH = '[build]\nplatforms = ["linux/amd64", "linux/arm64"]\n'
DOCKERFILE = f"FROM {BASE}\n"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A service with a pinned base, for two platforms, on a machine without an engine."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")
    repo = create(tmp_path / "shop")
    repo.write("Dockerfile", DOCKERFILE)
    repo.commit("a base")
    leave_pins(repo.path)
    prepare(repo.path)
    repo.write("lockship.toml", (repo.path / "lockship.toml").read_text() + BOTH)
    repo.commit("two platforms")
    return repo


def leave(repo: Repo, **platforms: str) -> None:
    """Write what the base is for each platform into the lock, as a look-up does."""
    path = repo.path / ".shiplock"
    lock = read(path)
    said = {BASE: {f"linux/{name}": digest for name, digest in platforms.items()}}
    write(path, sealed(replace(lock, build=replace(lock.build, base_platforms=said))))


def test_what_is_not_known_is_said_and_asked_for(repo: Repo) -> None:
    with pytest.raises(LockshipError, match=f"only it can say what {BASE} is today"):
        prepare(repo.path)
    with pytest.raises(RefusedError, match="for each platform is missing") as refused:
        prepare(repo.path, frozen=True)
    assert refused.value.details == (f"image {BASE}: linux/amd64, linux/arm64",)
    fields = [each.field for each in check(repo.path).differences if each.after is not None]
    assert f'build.base-platforms."{BASE}"."linux/arm64"' in fields


def test_what_is_known_serves_without_an_engine(repo: Repo) -> None:
    leave(repo, amd64=AMD, arm64=ARM)
    lock = prepare(repo.path, frozen=True).lock
    assert lock.build.base == {BASE: PINS[BASE]}
    assert lock.build.base_platforms == {BASE: {"linux/amd64": AMD, "linux/arm64": ARM}}
    assert not prepare(repo.path).changed
    assert not check(repo.path).differences
    # It follows from the pins, so it is no part of what the image is built from.
    other = replace(lock, build=replace(lock.build, base_platforms={}))
    assert build_key(other) == build_key(lock)


def test_only_what_is_new_is_asked_for(repo: Repo) -> None:
    leave(repo, amd64=AMD)
    with pytest.raises(RefusedError) as refused:
        prepare(repo.path, frozen=True)
    assert refused.value.details == (f"image {BASE}: linux/arm64",)


def test_one_platform_needs_none_of_it(repo: Repo) -> None:
    leave(repo, amd64=AMD, arm64=ARM)
    one = (repo.path / "lockship.toml").read_text().replace(', "linux/arm64"', "")
    repo.write("lockship.toml", one)
    repo.commit("one platform")
    assert prepare(repo.path, frozen=True).lock.build.base_platforms == {}


@pytest.mark.parametrize(
    ("text", "platforms"),
    [
        ("FROM a:1", ("linux/amd64", "linux/arm64")),
        ("FROM --platform=$TARGETPLATFORM a:1", ("linux/amd64", "linux/arm64")),
        ("FROM --platform=linux/$TARGETARCH a:1", ("linux/amd64", "linux/arm64")),
        ("FROM --platform=linux/s390x a:1", ("linux/s390x",)),
        ("FROM --platform=$BUILDPLATFORM a:1", ()),
        ("ARG P=linux/386\nFROM --platform=${P} a:1", ("linux/386",)),
        ("FROM scratch\nCOPY --from=a:1 / /", ("linux/amd64", "linux/arm64")),
        ("# syntax=a:1\nFROM scratch", ()),
    ],
)
def test_for_which_platforms_a_dockerfile_takes_an_image(
    text: str, platforms: tuple[str, ...]
) -> None:
    uses, problems = images(text, {}, ["linux/amd64", "linux/arm64"])
    assert [each.platforms for each in uses] == [platforms]
    assert not problems
