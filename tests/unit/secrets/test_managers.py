"""Each manager is asked by its own command line, in its own words, and its answer is understood.

age and pass are the real ones. The others need an account: a program that was recorded stands in
for each on PATH. It answers only to the very words that the manager's documentation gives, and what
it prints has the real one's form (the pages are named in `lockship.secrets.managers`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockship.secrets.kind import Place, Unresolved
from lockship.secrets.managers import MANAGERS
from lockship.secrets.resolve import attempt
from lockship.secrets.secret import Secret
from lockship.secrets.sources import KINDS, parse

PASSWORD = "correct horse battery"
STAND_IN = """\
#!{python}
import pathlib, sys
with open({calls!r}, "a") as calls:
    calls.write("x")
if sys.argv[1:] != {words!r}:
    sys.exit(f"unknown words: {{sys.argv[1:]}}")
sys.stdout.write({answer!r})
"""
BITWARDEN: dict[str, Any] = {
    "object": "item",
    "id": "7b6b9e4c-0000-4000-8000-b1a3d1f0aa11",
    "organizationId": None,
    "type": 1,
    "name": "shop database",
    "notes": "ask Ada",
    "fields": [{"name": "token", "value": "t0ken", "type": 1, "linkedId": None}],
    "login": {"uris": [], "username": "shop", "password": PASSWORD, "totp": None},
    "revisionDate": "2026-03-01T12:00:00.000Z",
}
VAULT_2 = {
    "request_id": "6e1b0f2c",
    "lease_id": "",
    "renewable": False,
    "data": {"data": {"password": PASSWORD, "port": 5432}, "metadata": {"version": 3}},
    "warnings": None,
}
LASTPASS = {
    "id": "5173123456789",
    "name": "database",
    "fullname": "Shared-Shop/database",
    "username": "shop",
    "password": PASSWORD,
    "last_modified_gmt": "1772366400",
    "last_touch": "1772366400",
    "share": "Shared-Shop",
    "group": "",
    "url": "http://sn",
    "note": "",
}
AWS_SECRET = {
    "ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-a1b2c3",
    "Name": "shop/db",
    "VersionId": "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE",
    "SecretString": json.dumps({"username": "shop", "password": PASSWORD}),
    "VersionStages": ["AWSCURRENT"],
    "CreatedDate": 1772366400.0,
}
AWS_PARAMETER = {
    "Parameter": {
        "Name": "/shop/db",
        "Type": "SecureString",
        "Value": PASSWORD,
        "Version": 1,
        "ARN": "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/db",
        "DataType": "text",
    }
}
BWS = {
    "object": "secret",
    "id": "be8e0ad8-d545-4017-a55a-b02f014d4158",
    "organizationId": "10e8cbfa-7bd2-4361-bd6f-b02e013f9c41",
    "projectId": "e325ea69-a3ab-4dff-836f-b02e013fe530",
    "key": "DB_PASSWORD",
    "value": PASSWORD,
    "note": "",
}
# Source, the program and its words, what it prints, and the secret.
RECORDED: list[tuple[str, str, str, str]] = [
    ("op://Shop/db/password", "op read --no-newline op://Shop/db/password", PASSWORD, PASSWORD),
    ("bitwarden:shop", "bw get item shop", json.dumps(BITWARDEN), PASSWORD),
    ("bitwarden:shop#username", "bw get item shop", json.dumps(BITWARDEN), "shop"),
    ("bitwarden:shop#token", "bw get item shop", json.dumps(BITWARDEN), "t0ken"),
    ("bitwarden:shop#notes", "bw get item shop", json.dumps(BITWARDEN), "ask Ada"),
    ("bws:be8e0ad8", "bws secret get be8e0ad8", json.dumps(BWS, indent=2), PASSWORD),
    (
        "aws-secret:shop/db#password",
        "aws secretsmanager get-secret-value --secret-id=shop/db --output=json",
        json.dumps(AWS_SECRET, indent=4),
        PASSWORD,
    ),
    (
        "aws-secret:shop/db",
        "aws secretsmanager get-secret-value --secret-id=shop/db --output=json",
        json.dumps(AWS_SECRET, indent=4),
        json.dumps({"username": "shop", "password": PASSWORD}),
    ),
    (
        "aws-parameter:/shop/db",
        "aws ssm get-parameter --name=/shop/db --with-decryption --output=json",
        json.dumps(AWS_PARAMETER, indent=4),
        PASSWORD,
    ),
    (
        "gcp-secret:projects/acme/secrets/db",
        "gcloud secrets versions access latest --secret=db --project=acme",
        PASSWORD,
        PASSWORD,
    ),
    (
        "gcp-secret:projects/acme/secrets/db/versions/3",
        "gcloud secrets versions access 3 --secret=db --project=acme",
        PASSWORD,
        PASSWORD,
    ),
    (
        "vault:secret/shop#password",
        "vault kv get -format=json secret/shop",
        json.dumps(VAULT_2, indent=2),
        PASSWORD,
    ),
    ("vault:kv/a#port", "vault kv get -format=json kv/a", json.dumps(VAULT_2), "5432"),
    (
        "vault:old/shop#password",
        "vault kv get -format=json old/shop",
        json.dumps(VAULT_2 | {"data": {"password": PASSWORD}}),
        PASSWORD,
    ),
    (
        "doppler:shop/prd#DB_PASSWORD",
        "doppler secrets download --no-file --format=json --project=shop --config=prd",
        json.dumps({"DB_PASSWORD": PASSWORD, "DOPPLER_CONFIG": "prd"}),
        PASSWORD,
    ),
    (
        "sops:secrets.enc.yaml#db.password",
        "sops --decrypt --output-type=json {root}/secrets.enc.yaml",
        json.dumps({"db": {"password": PASSWORD}}, indent="\t"),
        PASSWORD,
    ),
    ("lastpass:database", "lpass show --json database", json.dumps([LASTPASS]), PASSWORD),
    ("lastpass:database#username", "lpass show --json database", json.dumps([LASTPASS]), "shop"),
]


def found(root: Path, source: str, **environ: str) -> str:
    """The secret, or why it can't be had."""
    (outcome,) = attempt({"A": source}, Place(root, {"PATH": "", **environ})).values()
    return outcome.reveal() if isinstance(outcome, Secret) else f"not had: {outcome}"


def stand_in(root: Path, line: str, answer: str) -> dict[str, str]:
    """Put a program on PATH that knows these words and this answer."""
    program, *words = line.format(root=root).split()
    folder = root / "bin"
    folder.mkdir(exist_ok=True)
    text = STAND_IN.format(
        python=sys.executable, calls=str(root / "calls"), words=words, answer=answer
    )
    (folder / program).write_text(text)
    (folder / program).chmod(0o755)
    return {"PATH": str(folder)}


@pytest.mark.parametrize(
    ("source", "line", "answer", "value"), RECORDED, ids=[source for source, *_ in RECORDED]
)
def test_a_manager_is_asked_in_its_words(
    source: str, line: str, answer: str, value: str, tmp_path: Path
) -> None:
    assert found(tmp_path, source, **stand_in(tmp_path, line, answer)) == value


def test_every_manager_has_a_test() -> None:
    real = {"age", "pass"}
    assert {source.partition(":")[0] for source, *_ in RECORDED} | real == set(MANAGERS)


def test_one_answer_serves_all_secrets_that_are_in_it(tmp_path: Path) -> None:
    environ = stand_in(tmp_path, "bw get item shop", json.dumps(BITWARDEN))
    sources = {"A": "bitwarden:shop", "B": "bitwarden:shop#username", "C": "bitwarden:shop#token"}
    outcomes = attempt(sources, Place(tmp_path, environ))
    assert all(isinstance(each, Secret) for each in outcomes.values())
    assert (tmp_path / "calls").read_text() == "x"


def test_what_a_manager_has_not_is_named_and_what_it_has_is_not(tmp_path: Path) -> None:
    environ = stand_in(tmp_path, "bw get item shop", json.dumps(BITWARDEN))
    assert found(tmp_path, "bitwarden:shop#pin", **environ) == "not had: there is no pin"
    environ = stand_in(tmp_path, "bw get item shop", f"mac failed {PASSWORD}")
    assert found(tmp_path, "bitwarden:shop", **environ) == "not had: bw's output is no JSON object"
    environ = stand_in(tmp_path, "lpass show --json two", json.dumps([LASTPASS, LASTPASS]))
    assert found(tmp_path, "lastpass:two", **environ) == "not had: lpass's output isn't one item"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("op://Shop/db/password", "op can't be run: No such file or directory (it is 1Password's"),
        ("vault:secret/shop#a", "(it is HashiCorp Vault's command line: install it, and sign in)"),
        ("aws-parameter:/a", "(it is the AWS command line: install it, and sign in)"),
    ],
)
def test_a_program_that_is_not_there_is_explained(source: str, said: str, tmp_path: Path) -> None:
    assert said in found(tmp_path, source)


@pytest.mark.parametrize(
    "text",
    [
        *("op://Shop/db", "op:db", "bitwarden:", "bitwarden:--help", "bws:--config-file=/x"),
        *("aws-secret:", "aws-parameter:--endpoint-url=http://x", "gcp-secret:db"),
        *("gcp-secret:projects/acme/secrets/db/versions/--impersonate", "vault:secret/shop"),
        *("vault:-address=http://x#a", "doppler:shop#A", "doppler:shop/prd", "sops:a.yaml"),
        *("age:-d", "lastpass:--sync", "pass:-c", "pass:a\nb"),
    ],
)
def test_nothing_is_taken_for_an_option(text: str) -> None:
    with pytest.raises(ValueError, match="secrets are written"):
        parse(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "metadata", "fields", "login", "name", "value", "password"]),
            inner,
            max_size=4,
        )
    ),
)


@given(JSON, st.sampled_from([name for name in MANAGERS if KINDS[name].pick]))
def test_whatever_a_manager_prints_is_understood_or_refused(answer: Any, name: str) -> None:
    pick = MANAGERS[name].pick
    assert pick is not None
    with suppress(Unresolved):
        assert isinstance(pick(json.dumps(answer), "password"), str)


def test_the_real_age(tmp_path: Path) -> None:
    identity = tmp_path / "identity.txt"
    subprocess.run(["age-keygen", "-o", str(identity)], check=True, capture_output=True)
    recipient = identity.read_text().split("public key: ")[1].split()[0]
    encrypt = ["age", "--encrypt", f"--recipient={recipient}", "-o", str(tmp_path / "env.age")]
    subprocess.run(encrypt, input=f"A=1\nDB='{PASSWORD}'\n".encode(), check=True)
    environ = {"PATH": os.environ["PATH"], "AGE_IDENTITY_FILE": str(identity)}
    assert found(tmp_path, "age:env.age#DB", **environ) == PASSWORD
    assert found(tmp_path, "age:env.age", **environ) == f"A=1\nDB='{PASSWORD}'"
    assert found(tmp_path, "age:env.age#C", **environ) == "not had: there is no C"
    identity.unlink()
    assert "age ended with status 1" in found(tmp_path, "age:env.age#DB", **environ)


@pytest.fixture
def gnupg(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A key without a passphrase, and the environment to use it; its agent ends with the test."""
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GNUPGHOME": str(home),
        "PASSWORD_STORE_DIR": str(tmp_path / "store"),
    }
    key = ["gpg", "--batch", "--passphrase", "", "--quick-gen-key", "shop@example.com", "ed25519"]
    subprocess.run(key, env=environ, check=True, capture_output=True)
    listed = subprocess.run(
        ["gpg", "--list-keys", "--with-colons"], env=environ, check=True, capture_output=True
    )
    fingerprint = listed.stdout.decode().split("fpr:::::::::")[1].split(":")[0]
    subprocess.run(
        ["gpg", "--batch", "--passphrase", "", "--quick-add-key", fingerprint, "cv25519"],
        env=environ,
        check=True,
    )
    yield environ
    subprocess.run(["gpgconf", "--kill", "all"], env=environ, check=False)


def test_the_real_pass(tmp_path: Path, gnupg: dict[str, str]) -> None:
    subprocess.run(["pass", "init", "shop@example.com"], env=gnupg, check=True, capture_output=True)
    subprocess.run(
        ["pass", "insert", "--multiline", "shop/db"],
        env=gnupg,
        input=f"{PASSWORD}\nuser: shop\nurl: db:5432\n".encode(),
        check=True,
        capture_output=True,
    )
    assert found(tmp_path, "pass:shop/db", **gnupg) == PASSWORD
    assert found(tmp_path, "pass:shop/db#user", **gnupg) == "shop"
    assert found(tmp_path, "pass:shop/db#url", **gnupg) == "db:5432"
    assert "is not in the password store" in found(tmp_path, "pass:shop/none", **gnupg)
