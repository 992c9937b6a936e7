"""Accounts as Hub, GHCR, ECR, GCR, ACR, GitLab and Harbor have them, at a registry with tokens."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockship.build.registry import RegistryRepository
from lockship.errors import LockshipError
from lockship.host.credentials import registry_auth
from lockship.host.engine import Engine, connect
from lockship.host.types import RegistryAuth
from tests.harness import Fleet, Registry, run_lockship
from tests.harness.tokens import TokenServer, token_auth
from tests.unit.locks import commit_all, git

# As `gcloud iam service-accounts keys create` writes one, and what each vendor's users are called.
JSON_KEY = json.dumps(
    {"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\nMII+/=\n-----END"},
    indent=2,
)
ACCOUNTS = {
    "ada": "dckr_pat_4711-0815",  # Docker Hub, GHCR
    "AWS": "eyJwYXlsb2FkIjoi" + "x" * 1800 + "==",  # `aws ecr get-login-password`
    "_json_key": JSON_KEY,  # GCR and Artifact Registry
    "oauth2accesstoken": "ya29.a0_x",
    "00000000-0000-0000-0000-000000000000": "eyJhbGciOi.x.y",  # ACR
    "gitlab-ci-token": "glcbt-64_x",
    "robot$acme+ci": "Secret1$!'\"\\ ü",  # Harbor
}


@pytest.fixture
def registry(builder: Fleet) -> Registry:
    assert builder.registry is not None
    return builder.registry


@pytest.fixture
def server(builder: Fleet, registry: Registry, tmp_path: Path) -> Iterator[TokenServer]:
    address = builder.network.address(1)
    prefixes = {"gitlab-ci-token": "group/sub/"}
    found = TokenServer(ACCOUNTS, prefixes)
    with token_auth(tmp_path / "tokens", address, registry, found, builder.engine):
        yield found


@pytest.fixture
def engine(builder: Fleet) -> Iterator[Engine]:
    with connect() as found:
        yield found


def test_each_kind_of_account_pushes_asks_and_pulls(
    engine: Engine, registry: Registry, server: TokenServer
) -> None:
    for number, (user, password) in enumerate(ACCOUNTS.items()):
        path = f"group/sub/project/shop{number}"
        name = f"{registry.address}/{path}"
        auth = RegistryAuth(server=registry.address, username=user, password=password)
        repository = RegistryRepository(engine, name, auth)
        engine.tag("busybox:1.36", name, "one")
        assert repository.digest("none") is None
        digest = repository.push("one")
        assert repository.digest("one") == digest
        assert f"{name}@{digest}" in repository.pull(digest).digests
        assert f"{user} repository:{path}:push,pull" in server.granted


def test_who_may_not_is_told_so(engine: Engine, registry: Registry, server: TokenServer) -> None:
    name = f"{registry.address}/other/shop"
    engine.tag("busybox:1.36", name, "one")
    wrong = RegistryAuth(server=registry.address, username="ada", password="wr0ng-4711")
    ci = "gitlab-ci-token"
    elsewhere = RegistryAuth(server=registry.address, username=ci, password=ACCOUNTS[ci])
    for auth in (None, wrong, elsewhere):
        with pytest.raises(LockshipError, match="refuses") as caught:
            RegistryRepository(engine, name, auth).digest("one")
        assert f"docker login {registry.address}" in caught.value.hint
        assert "wr0ng" not in str(caught.value.details)


def test_an_identity_token_of_docker_login(
    builder: Fleet, engine: Engine, registry: Registry, server: TokenServer
) -> None:
    """What `docker login` keeps for Azure instead of a password (docker/cli, AuthConfig)."""
    name = f"{registry.address}/group/sub/shop"
    config = {"auth": "", "identitytoken": server.identity_token("ada")}
    builder.home.docker_config.write_text(json.dumps({"auths": {registry.address: config}}))
    repository = RegistryRepository(engine, name, registry_auth(registry.address))
    engine.tag("busybox:1.36", name, "one")
    digest = repository.push("one")
    assert repository.pull(digest).digests
    assert "ada repository:group/sub/shop:push,pull" in server.granted


CONFIG = """\
[service]
name = "shop"

[image]
repository = "{address}/group/sub/project/shop"

[registry]
username = "robot$acme+ci"
password = "ROBOT"

[roles.web]
hosts = ["local"]
command = ["sleep", "1000"]
healthcheck = false

[accessories.cache]
image = "{address}/group/base/tools:1"
hosts = ["local"]

[secrets]
ROBOT = "env:ROBOT"
"""


def test_one_account_for_look_ups_builds_pushes_and_audits(
    builder: Fleet, registry: Registry, server: TokenServer, repository: Path
) -> None:
    """Nobody is logged in anywhere: all that is asked, is asked with `[registry]`."""
    base = f"{registry.address}/group/base/tools:1"
    robot = "robot$acme+ci"
    auth = RegistryAuth(server=registry.address, username=robot, password=ACCOUNTS[robot])
    with connect() as engine:
        engine.tag("busybox:1.36", *base.rsplit(":", 1))
        pin = RegistryRepository(engine, base.rpartition(":")[0], auth).push("1")
        engine.api.remove_image(base)
    builder.home.docker_config.write_text("{}")
    (repository / "lockship.toml").write_text(CONFIG.format(address=registry.address))
    (repository / "Dockerfile").write_text(f"FROM {base}\nCOPY . /srv\n")
    commit_all(repository)
    # The client asks for tokens itself, and trusts whom the system trusts.
    env = builder.env(SSL_CERT_FILE=str(server.authority))

    unset = run_lockship(["prepare"], repository, env).expect(1)
    assert "ROBOT from env:ROBOT: the variable isn't set" in unset.stderr
    wrong = run_lockship(["prepare"], repository, env | {"ROBOT": "wr0ng-4711"}).expect(1)
    assert f"refuses {base}" in wrong.stderr
    assert "or [registry]" in wrong.stderr
    env["ROBOT"] = ACCOUNTS[robot]
    told = [run_lockship([word], repository, env).expect(0) for word in ("prepare", "build")]

    lock = tomllib.loads((repository / ".shiplock").read_text())
    assert lock["build"]["base"] == {base: pin}
    assert lock["accessories"]["cache"]["image"] == f"{base}@{pin}"
    git(repository, "add", ".shiplock")
    git(repository, "commit", "--quiet", "--message", "Lock")
    verify = ["audit", "verify", "--registry"]
    told.append(run_lockship(verify, repository, env).expect(0))
    assert "[registry] isn't used" not in told[-1].stderr
    left = {key: value for key, value in env.items() if key != "ROBOT"}
    refused = run_lockship(verify, repository, left).expect(1)
    assert "ROBOT from env:ROBOT: the variable isn't set" in refused.stderr
    assert run_lockship(["prepare"], repository, left).expect(0), "nothing is to be looked up"
    said = "".join(each.stdout + each.stderr for each in (*told, unset, wrong))
    assert ACCOUNTS[robot] not in said
    assert "wr0ng" not in said
    assert f"{robot} repository:group/sub/project/shop:push,pull" in server.granted
    assert builder.home.docker_config.read_text() == "{}"
