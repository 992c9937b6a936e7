"""What a build is given beside its content: secrets, agents, caches, attestations."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from lockship.build.client import Client
from lockship.build.given import given
from lockship.build.options import options
from lockship.errors import LockshipError
from lockship.lock.fingerprint import build_key
from lockship.lock.image import Build
from lockship.secrets.secret import Secret
from tests.unit.locks import make_lock

INSIDE = Client("/usr/bin/docker", buildx=False)
OLDEST = replace(INSIDE, secrets_from_env=False)
BUILDX = Client("/usr/bin/docker", buildx=True)
VALUES = {"TOKEN": Secret("t0ken-4711"), "KEY": Secret("line\n" * 30_000)}


def test_a_value_is_in_the_environment_and_not_in_a_word() -> None:
    with given(BUILDX, Build(secrets=("TOKEN",)), VALUES, {}) as found:
        assert found.words == ("--secret=id=TOKEN,env=LOCKSHIP_BUILD_SECRET_0",)
        assert found.env == {"LOCKSHIP_BUILD_SECRET_0": "t0ken-4711"}


@pytest.mark.parametrize(("client", "name"), [(OLDEST, "TOKEN"), (BUILDX, "KEY")])
def test_what_no_variable_can_hold_is_a_file_while_it_builds(client: Client, name: str) -> None:
    """A client that knows no variables, and a value that is longer than one may be."""
    with given(client, Build(secrets=(name,)), VALUES, {}) as found:
        (word,) = found.words
        path = Path(word.removeprefix(f"--secret=id={name},src="))
        assert path.read_text() == VALUES[name].reveal() == path.read_text()
        assert found.env == {}
    assert not path.exists()


def test_without_memory_files_it_is_its_owners_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    with given(OLDEST, Build(secrets=("TOKEN",)), VALUES, {}) as found:
        path = Path(found.words[0].partition(",src=")[2])
        assert path.read_text() == "t0ken-4711"
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert not path.parent.exists()


def test_the_accounts_of_a_killed_build_go_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's configuration holds the accounts of who builds: kill -9 mustn't leave it."""
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    (home / ".docker").mkdir(parents=True)
    (home / ".docker/config.json").write_text('{"auths": {"r.example.com": {"auth": "b3RoZXJz"}}}')
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    code = (
        "import time; from lockship.build.login import logged_in\n"
        "from lockship.host.types import RegistryAuth\n"
        "account = RegistryAuth(server='r.example.com:5000', username='a', password='b')\n"
        f"with logged_in(account, {{'HOME': {str(home)!r}}}) as env:\n"
        "    print(env['DOCKER_CONFIG'], flush=True); time.sleep(100)"
    )
    env = {**os.environ, "TMPDIR": str(temporary)}
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip()) / "config.json"
        with given(BUILDX, Build(), {}, {}):
            assert "b3RoZXJz" in left.read_text(), "it is in use"
        process.send_signal(signal.SIGKILL)
    assert left.exists()
    with given(BUILDX, Build(), {}, {}):
        assert list(temporary.iterdir()) == []


def test_agents_that_are_forwarded() -> None:
    outer = {"SSH_AUTH_SOCK": "/run/agent"}
    for ssh, words in ((True, ("--ssh=default",)), (("a", "b"), ("--ssh=a", "--ssh=b"))):
        with given(INSIDE, Build(ssh=ssh), {}, outer) as found:
            assert found.words == words
    with (
        pytest.raises(LockshipError, match="no agent runs") as caught,
        given(INSIDE, Build(ssh=True), {}, {}),
    ):
        pass
    assert "ssh-agent" in caught.value.hint


def test_a_cache_finds_its_service_by_its_own_variables() -> None:
    outer = {"ACTIONS_RUNTIME_TOKEN": "t", "AWS_PROFILE": "p", "OTHER": "o"}
    with given(BUILDX, Build(cache_from=("type=gha",)), {}, outer) as found:
        assert found.env == {"ACTIONS_RUNTIME_TOKEN": "t"}
    with given(BUILDX, Build(cache_from=("shop:cache",)), {}, outer) as found:
        assert found.env == {}


def test_caches_and_attestations_through_buildx() -> None:
    build = Build(
        cache_from=("shop:cache", "type=gha,scope=x"),
        cache_to=("type=registry,ref=r.example.com/c,mode=max",),
        provenance="max",
        sbom=True,
    )
    assert options(BUILDX, build) == (
        "--cache-from=shop:cache",
        "--cache-from=type=gha,scope=x",
        "--cache-to=type=registry,ref=r.example.com/c,mode=max",
        "--attest=type=provenance,mode=max",
        "--attest=type=sbom",
    )
    maker = f"acme/scanner:1@sha256:{'1' * 64}"
    assert options(BUILDX, Build(sbom=maker)) == (f"--attest=type=sbom,generator={maker}",)
    hub = {"docker.io": "m.example.com/hub"}
    assert options(BUILDX, Build(sbom=maker), hub) == (
        f"--attest=type=sbom,generator=m.example.com/hub/acme/scanner@sha256:{'1' * 64}",
    )
    assert options(BUILDX, Build(sbom=True), hub) == (
        "--attest=type=sbom,generator=m.example.com/hub/docker/buildkit-syft-scanner:stable-1",
    )
    assert options(BUILDX, Build(provenance=True)) == ("--attest=type=provenance,mode=min",)


def test_caches_of_a_client_without_buildx() -> None:
    build = Build(cache_from=("a:1", "type=registry,ref=b:2"), cache_to=("type=inline",))
    assert options(INSIDE, build) == (
        "--cache-from=a:1",
        "--cache-from=b:2",
        "--build-arg=BUILDKIT_INLINE_CACHE=1",
    )


@pytest.mark.parametrize(
    "build",
    [
        Build(cache_from=("type=gha",)),
        Build(cache_to=("type=registry,ref=r.example.com/c",)),
        Build(provenance=True),
        Build(sbom=True),
    ],
)
def test_what_needs_buildx_says_so(build: Build) -> None:
    with pytest.raises(LockshipError, match="needs buildx") as caught:
        options(INSIDE, build)
    assert "Install docker-buildx" in caught.value.hint


def test_a_cache_is_no_part_of_the_build_key() -> None:
    plain = build_key(make_lock())
    assert build_key(make_lock(build={"cache_from": ("a",), "cache_to": ("type=inline",)})) == plain
    assert build_key(make_lock(build={"host": "build1"})) == plain
    assert build_key(make_lock(build={"secrets": ("A",)})) != plain
