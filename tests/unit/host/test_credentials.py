"""Whose credentials go to which registry: `docker login`'s, a helper's, or `[registry]`'s."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from lockship.errors import LockshipError
from lockship.host.credentials import account, auth_at, is_same, lock_auth, registry_auth
from lockship.host.types import RegistryAuth
from lockship.lock.image import Image
from lockship.lock.model import Lock
from lockship.lock.registry import Registry
from lockship.secrets.secret import Secret
from tests.unit.locks import make_lock

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
# What the helpers answer to "get" with a server on stdin: docker/docker-credential-helpers,
# credentials/credentials.go; awslabs/amazon-ecr-credential-helper, ecr-login/ecr.go (user AWS; of
# other servers nothing is found); GoogleCloudPlatform/docker-credential-gcr, credhelper/helper.go.
HELPER = """\
#!/bin/sh
[ "$1" = get ] || exit 1
read -r server
case "$server" in
%s
*) echo "credentials not found in native keychain"; exit 1;;
esac
"""
ANSWERS = {
    "ecr-login": (f"{ECR}", "AWS", "eyJwYXlsb2FkIjoi=="),
    "gcr": ("europe-docker.pkg.dev", "_dcgcr_2_1_0_token", "ya29.a0"),
    "desktop": ("https://index.docker.io/v1/", "ada", "dckr_pat_1"),
    "acr-env": ("acme.azurecr.io", "<token>", "identity.4711"),
}


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of docker's configuration; helpers are on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, (server, user, secret) in ANSWERS.items():
        told = json.dumps({"ServerURL": server, "Username": user, "Secret": secret})
        path = programs / f"docker-credential-{name}"
        path.write_text(HELPER % f"{server}) echo '{told}';;")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path / "config.json"


def told(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_logins_by_the_names_that_docker_gives_them(docker: Path) -> None:
    harbor, gitlab = "harbor.example.com", "registry.gitlab.example.com:5050"
    auths = {
        "https://index.docker.io/v1/": told("ada", "dckr_pat_1"),
        harbor: told("robot$acme+ci", "s:e$cret"),
        gitlab: told("gitlab-ci-token", "glcbt-64"),
        "https://gcr.io": told("_json_key", '{\n "type": "service_account"\n}'),
        "acme.azurecr.io": {"auth": "", "identitytoken": "identity.4711"},
    }
    docker.write_text(json.dumps({"auths": auths}))
    for hub in (None, "docker.io", "index.docker.io"):
        found = registry_auth(hub)
        assert found is not None
        assert (found.username, found.password) == ("ada", "dckr_pat_1")
    assert registry_auth(harbor) == RegistryAuth(harbor, "robot$acme+ci", "s:e$cret")
    assert registry_auth(gitlab) == RegistryAuth(gitlab, "gitlab-ci-token", "glcbt-64")
    google = registry_auth("gcr.io")
    assert google is not None
    assert json.loads(google.password) == {"type": "service_account"}
    azure = registry_auth("acme.azurecr.io")
    assert azure is not None
    assert (azure.identity_token, azure.password) == ("identity.4711", "")
    assert registry_auth("registry.gitlab.example.com") is None, "another port is another one"


def test_helpers_for_some_registries_and_a_store_for_the_others(docker: Path) -> None:
    helpers = {ECR: "ecr-login", "europe-docker.pkg.dev": "gcr", "acme.azurecr.io": "acr-env"}
    own = {"own.example.com": told("ada", "own")}
    config = {"credsStore": "desktop", "credHelpers": helpers, "auths": own}
    docker.write_text(json.dumps(config))
    assert registry_auth(ECR) == RegistryAuth(ECR, "AWS", "eyJwYXlsb2FkIjoi==")
    google = registry_auth("europe-docker.pkg.dev")
    assert google is not None
    assert google.username == "_dcgcr_2_1_0_token"
    azure = registry_auth("acme.azurecr.io")
    assert azure is not None
    assert azure.identity_token == "identity.4711", "docker's way to say a token: user <token>"
    hub = registry_auth(None)
    assert hub is not None
    assert (hub.username, hub.password) == ("ada", "dckr_pat_1")
    found = registry_auth("own.example.com")
    assert found is not None
    assert found.password == "own", "the store hasn't it, the file has"
    assert registry_auth("none.example.com") is None


@pytest.mark.parametrize(
    "config",
    [
        {"credHelpers": {"r.example.com": "nothing-like-it"}},
        {"auths": {"r.example.com": {"auth": "!"}}},
        {"auths": {"r.example.com": {"auth": ""}}},
        {"auths": {"r.example.com": {"auth": 7}}},
        {"auths": {"r.example.com": "text"}},
        {"auths": ["r.example.com"]},
        {"credsStore": 7},
        ["r.example.com"],
    ],
)
def test_a_broken_login_is_named(docker: Path, config: object) -> None:
    docker.write_text(json.dumps(config))
    with pytest.raises(LockshipError, match=r"credentials for r\.example\.com") as caught:
        registry_auth("r.example.com")
    assert caught.value.hint == "log in again: docker login r.example.com"


def locked(repository: str, **registry: str) -> Lock:
    from msgspec.structs import replace

    image = Image(repository=repository, tag="1")
    return replace(make_lock(), image=image, registry=Registry(password="P", **registry))


def test_the_locks_own_account_is_for_its_registry_alone(docker: Path) -> None:
    docker.write_text(json.dumps({"auths": {"b.example.com": told("b", "b")}}))
    secrets = {"P": Secret("pass")}
    lock = locked("a.example.com/group/sub/shop", username="robot$ci")
    assert lock_auth(lock, secrets) == RegistryAuth("a.example.com", "robot$ci", "pass")
    other = auth_at("b.example.com", lock, secrets)
    assert other is not None
    assert other.username == "b"
    assert auth_at(None, lock, secrets) is None
    with pytest.raises(LockshipError, match="wasn't looked up"):
        account(lock, {})


@pytest.mark.parametrize("server", ["docker.io", "index.docker.io", "registry-1.docker.io"])
def test_an_account_at_docker_hub_by_any_of_its_names(docker: Path, server: str) -> None:
    lock = locked("acme/shop", username="ada", server=server)
    found = auth_at(None, lock, {"P": Secret("pass")})
    assert found is not None
    assert (found.username, found.password) == ("ada", "pass")
    assert is_same(None, server)
    assert not is_same(server, "ghcr.io")
