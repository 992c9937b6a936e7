"""Images keep the pins of the lock before; what has none is looked up, or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lockship.errors import LockshipError, RefusedError, UsageError
from lockship.lock.fingerprint import build_key
from lockship.lock.model import Lock
from lockship.lock.proxy import Proxy
from lockship.lock.reader import read
from lockship.lock.reference import Pinned, parse_pinned, parse_reference
from lockship.lock.writer import dump
from lockship.prepare.imagepins import means
from lockship.prepare.prepare import check, prepare
from tests.unit.gitrepo import CONFIG, Repo, create
from tests.unit.locks import PINS, leave_pins, make_lock

BUSYBOX, PYTHON = PINS["busybox:1.36"], PINS["python:3.13-slim"]
ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A service on two base images, on a machine without an engine."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")
    repo = create(tmp_path / "shop")
    repo.write("Dockerfile", "FROM python:3.13-slim AS b\nFROM busybox:1.36\nCOPY --from=b a /\n")
    repo.commit("bases")
    return repo


def test_the_pins_of_the_lock_before_serve(repo: Repo) -> None:
    leave_pins(repo.path)
    prepared = prepare(repo.path)
    assert prepared.lock.build.base == {"busybox:1.36": BUSYBOX, "python:3.13-slim": PYTHON}
    assert not prepare(repo.path, frozen=True).changed
    assert not check(repo.path).differences


def test_an_image_that_is_no_longer_named_leaves_the_lock(repo: Repo) -> None:
    leave_pins(repo.path)
    prepare(repo.path)
    repo.write("Dockerfile", "FROM busybox:1.36\n")
    repo.commit("one base")
    assert prepare(repo.path).lock.build.base == {"busybox:1.36": BUSYBOX}


def test_without_an_engine_and_without_a_pin(repo: Repo) -> None:
    with pytest.raises(LockshipError, match="Docker doesn't answer") as caught:
        prepare(repo.path)
    assert "busybox:1.36, python:3.13-slim" in caught.value.message
    assert caught.value.hint.startswith("Start Docker")
    assert not (repo.path / ".shiplock").exists()


def test_frozen_names_each_missing_pin(repo: Repo) -> None:
    repo.write("lockship.toml", CONFIG.replace('"local"', '"local", "web1"'))
    repo.commit("two hosts")
    with pytest.raises(RefusedError, match="3 pins are missing") as caught:
        prepare(repo.path, frozen=True)
    assert caught.value.details == (
        "host key of web1",
        "image busybox:1.36",
        "image python:3.13-slim",
    )


def test_check_asks_nobody_and_says_what_is_missing(repo: Repo) -> None:
    found = check(repo.path).differences[-2:]
    assert [(each.field, each.after) for each in found] == [
        ('build.base."busybox:1.36"', "not looked up yet"),
        ('build.base."python:3.13-slim"', "not looked up yet"),
    ]


def test_upgrade_of_an_image_that_nobody_names(repo: Repo) -> None:
    leave_pins(repo.path)
    for name in ("node:22", "python:3.12-slim", "local", "no name at all"):
        with pytest.raises(UsageError, match="no pin called") as caught:
            prepare(repo.path, upgrade=name)
        assert caught.value.hint == "Pinned are: busybox:1.36, python:3.13-slim."


@pytest.mark.parametrize("name", ["busybox", "busybox:1.36", "docker.io/library/busybox", "*"])
def test_upgrade_looks_up_what_is_meant(repo: Repo, name: str) -> None:
    leave_pins(repo.path)
    with pytest.raises(LockshipError, match=r"what busybox:1\.36(, python:3\.13-slim)? is today"):
        prepare(repo.path, upgrade=name)


def test_a_name_means_an_image_with_or_without_its_tag() -> None:
    assert means("python", "python:3.13-slim")
    assert means("docker.io/python:3.13-slim", "python:3.13-slim")
    assert means("localhost:5000/a", "localhost:5000/a:1")
    assert means("busybox:latest", "busybox")
    assert not means("python:latest", "python:3.13-slim")
    assert not means("pyth", "python:3.13-slim")
    assert not means("library/python:3", "example.com/library/python:3")


def test_the_same_content_on_other_bases_is_another_version(repo: Repo) -> None:
    leave_pins(repo.path)
    first = prepare(repo.path).lock
    older = {"busybox:1.36": ONE, "python:3.13-slim": PYTHON}
    path = repo.path / ".shiplock"
    # As `--upgrade` finds it: what was locked stands on another image than what is pinned now.
    version = _relocked(path, first, older)
    assert version == f"{first.service.version}-base-{version[-8:]}"
    assert read(path).source.release
    assert not prepare(repo.path).changed
    again = _relocked(path, read(path), older | {"busybox:1.36": TWO})
    assert again == f"{first.service.version}-base-{again[-8:]}"
    leave_pins(repo.path)  # as where somebody else has no lock of this version: docs/lockfile.md
    assert prepare(repo.path).lock.service.version == first.service.version
    repo.write("app.txt", "two\n")
    repo.commit("other content")
    assert prepare(repo.path).lock.service.version == repo.head[:12]


def _relocked(path: Path, lock: Lock, base: dict[str, str]) -> str:
    """Pin the other bases by the rule of `prepare`, as an engine's answer would."""
    from lockship.prepare.naming import on_other_bases

    source, version, (note,) = on_other_bases(lock.source, lock.service.version, lock, base)
    assert "is taken" in note
    changes: dict[str, Any] = {"source": source, "build": {"base": base}}
    relocked = make_lock(service={"version": version}, image={"tag": version}, **changes)
    path.write_bytes(dump(relocked))
    return version


def test_pins_of_bases_are_in_the_build_key_and_the_proxys_is_not() -> None:
    plain = make_lock()
    keys = [build_key(make_lock(build={"base": {"a": pin}})) for pin in (ONE, TWO, f"id:{ONE}")]
    assert len({build_key(plain), *keys}) == 4
    one, two = (
        make_lock(proxy=Proxy(port=1, server=_server(f"traefik:v3.7@{pin}"))) for pin in (ONE, TWO)
    )
    assert build_key(one) == build_key(two) == build_key(plain)
    assert one.fingerprint != two.fingerprint


def _server(image: str) -> Any:
    from lockship.lock.proxy import ProxyServer

    return ProxyServer(image=image)


def test_the_proxys_image_is_pinned_behind_its_name(repo: Repo) -> None:
    text = CONFIG + "proxy = true\n\n[proxy]\nport = 80\n"
    repo.write("lockship.toml", text)
    repo.commit("proxy")
    proxy = Proxy(port=80, server=_server(f"traefik:v3.7@{ONE}"))
    (repo.path / ".shiplock").write_bytes(dump(make_lock(build={"base": PINS}, proxy=proxy)))
    lock = prepare(repo.path).lock
    assert lock.proxy is not None
    assert lock.proxy.server.image == f"traefik:v3.7@{ONE}"
    # Another tag has no pin yet; one that its author pinned needs none.
    repo.write("lockship.toml", f'{text}[proxy.server]\nimage = "traefik:v3.8"\n')
    repo.commit("newer")
    with pytest.raises(RefusedError, match="1 pin is missing"):
        prepare(repo.path, frozen=True)
    repo.write("lockship.toml", f'{text}[proxy.server]\nimage = "traefik:v3.8@{TWO}"\n')
    repo.commit("pinned by hand")
    lock = prepare(repo.path, frozen=True).lock
    assert lock.proxy is not None
    assert lock.proxy.server.image == f"traefik:v3.8@{TWO}"


def test_what_can_not_be_known_is_refused_with_its_line(repo: Repo) -> None:
    repo.write("Dockerfile", "ARG VERSION\nFROM python:$VERSION\nFROM x-$TARGETARCH\n")
    repo.commit("unknown")
    with pytest.raises(UsageError, match="names 2 images that can't be pinned") as caught:
        prepare(repo.path)
    assert caught.value.details[0].startswith("Dockerfile:2: python:$VERSION is no image's name")
    assert "VERSION" in caught.value.details[0]
    assert caught.value.details[1].startswith("Dockerfile:3: x-$TARGETARCH: TARGETARCH isn't")
    build = '[build]\nargs = { VERSION = "3.13-slim" }\nplatforms = ["linux/amd64"]\n'
    repo.write("lockship.toml", CONFIG + build)
    repo.commit("said")
    with pytest.raises(RefusedError) as missing:
        prepare(repo.path, frozen=True)
    assert missing.value.details == ("image python:3.13-slim", "image x-amd64")


def test_a_dockerfile_behind_a_symlink(repo: Repo) -> None:
    repo.write("docker/real", "FROM busybox:1.36\n")
    for target, refused in (("docker/link", ""), ("../docker/real", "leads"), ("/x", "leads")):
        (repo.path / "Dockerfile").unlink()
        (repo.path / "docker/link").unlink(missing_ok=True)
        (repo.path / "docker/link").symlink_to("real")
        (repo.path / "Dockerfile").symlink_to(target)
        repo.commit(f"to {target}")
        leave_pins(repo.path)
        if refused:
            with pytest.raises(UsageError, match=refused):
                prepare(repo.path)
        else:
            assert list(prepare(repo.path).lock.build.base) == ["busybox:1.36"]


def test_a_dockerfile_in_lfs(repo: Repo) -> None:
    repo.write("Dockerfile", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    repo.commit("lfs")
    with pytest.raises(UsageError, match="kept in Git LFS"):
        prepare(repo.path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("busybox", "docker.io/library/busybox latest"),
        ("acme/a:1", "docker.io/acme/a 1"),
        ("index.docker.io/a", "docker.io/library/a latest"),
        ("localhost/a", "localhost/a latest"),
        ("localhost:5000/a/b:x_1", "localhost:5000/a/b x_1"),
        ("[::1]:5000/a", "[::1]:5000/a latest"),
        ("Acme/a", "Acme/a latest"),
        ("a__b/c--d.e", "docker.io/a__b/c--d.e latest"),
        ("UPPER", None),
        ("a:", None),
        ("a@sha256:12", None),
        ("a b", None),
        ("-a", None),
        ("a" * 600, None),
    ],
)
def test_what_an_image_s_name_means(text: str, expected: str | None) -> None:
    found = parse_reference(text)
    assert (f"{found.repository} {found.tag}" if found else None) == expected


def test_a_name_with_its_pin() -> None:
    assert parse_pinned("a/b:1") == Pinned("a/b:1", "a/b:1", "", local=False)
    assert parse_pinned(f"a/b:1@{ONE}") == Pinned("a/b:1", f"a/b@{ONE}", ONE, local=False)
    assert parse_pinned(f"a/b:1@id:{ONE}") == Pinned("a/b:1", ONE, ONE, local=True)
