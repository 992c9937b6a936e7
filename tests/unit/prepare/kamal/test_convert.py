"""Kamal's configuration, every key of it: carried over, or named."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lockship.errors import LockshipError, RefusedError, UsageError
from lockship.lock.shape import dotted
from lockship.prepare.config import parse
from lockship.prepare.kamal.convert import _draft, convert, write
from lockship.prepare.prepare import prepare
from tests.unit.gitrepo import Repo

WHOLE = Path(__file__).with_name("deploy.yml")
SECRETS = """\
REGISTRY_PASSWORD=$CI_TOKEN
DATABASE_URL=$(cat config/database.url)
MAIN_DB_PASSWORD="literal value"
GITHUB_TOKEN=$(gh auth token)
SECRETS=$(kamal secrets fetch --adapter 1password --account me --from Vault/Item JOB_TOKEN)
JOB_TOKEN=$(kamal secrets extract JOB_TOKEN $SECRETS)
US_KEY=$(vault read x | tail -1)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / ".kamal/hooks").mkdir(parents=True)
    (tmp_path / ".kamal/secrets").write_text(SECRETS)
    for name in ("pre-deploy", "pre-app-boot", "mystery", "post-deploy.sample"):
        (tmp_path / ".kamal/hooks" / name).write_text("#!/bin/sh\n")
    (tmp_path / "config/deploy.yml").write_text(WHOLE.read_text())
    return tmp_path


def converted(root: Path, **more: str) -> dict[str, dict[str, Any]]:
    for name, text in more.items():
        (root / f"config/deploy.{name}.yml").write_text(text)
    made = convert(root / "config/deploy.yml", root)
    return {each.name: tomllib.loads(each.text) for each in made}


def test_the_whole_configuration(root: Path) -> None:
    (made,) = convert(root / "config/deploy.yml", root)
    assert made.text == WHOLE.with_name("lockship.toml").read_text()


def test_prepare_accepts_it_but_for_what_it_cannot_know(root: Path) -> None:
    (made,) = convert(root / "config/deploy.yml", root)
    config = parse({made.name: made.text.encode()})
    assert config.service.name == "my-shop"
    assert config.proxy is not None
    assert config.proxy.hosts == ("shop.example.com", "www.example.com")


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from leaves(each, (*path, str(key)))
    else:
        yield path


def test_every_key_is_carried_over_or_named(root: Path) -> None:
    tables = yaml.safe_load(WHOLE.read_text())
    draft = _draft(tables, root, None)
    named = [each.key for each in draft.left]
    carried = {dotted(origin) for origin in draft.origins.values()}
    missing = []
    for path in leaves(tables):
        if path[0].startswith("x-"):
            continue
        above = {dotted(path[:length]) for length in range(1, len(path) + 1)}
        below = f"{dotted(path)}."
        if not above & carried and not any(k in above or k.startswith(below) for k in named):
            missing.append(dotted(path))
    # What only says how Kamal itself reads the rest.
    told = {"hooks_path", "secrets_path", "primary_role", "registry.server", "ssh.user", "ssh.port"}
    assert set(missing) <= told


def test_ruby_is_not_run(root: Path) -> None:
    (root / "config/deploy.yml").write_text(
        "service: shop\nimage: acme/shop\n<% if true %>\nservers: [192.0.2.1]\n<% end %>\n"
        "env:\n  VERSION: <%= `touch pwned` %>\n"
        "registry:\n  username: AWS\n  password: <%= %x(aws ecr get-login-password) %>\n"
    )
    (made,) = convert(root / "config/deploy.yml", root)
    left = {each.key: each.why for each in made.left}
    assert "isn't run" in left["env.VERSION"]
    assert "docker login" in left["registry.password"]
    assert not (root / "pwned").exists()


def test_a_destination_is_what_differs(root: Path) -> None:
    staging = (
        "servers:\n  web:\n    hosts: [192.0.2.50]\n"
        "env:\n  clear:\n    DEBUG: true\nboot:\n  limit: 2\naccessories:\n  cache: null\n"
    )
    made = converted(root, staging=staging)
    assert made["lockship.staging.toml"] == {
        "unset": ["accessories.cache"],
        "roles": {"web": {"hosts": ["deploy@192.0.2.50:2222"]}},
        "env": {"DEBUG": "true"},
        "tags": {"us": {"hosts": ["192.0.2.3"]}},
        "deploy": {"batch": 2},
    }
    files = {each.name: each.text.encode() for each in convert(root / "config/deploy.yml", root)}
    assert parse(files).roles["web"].hosts == ("deploy@192.0.2.50:2222",)


def test_a_simple_one_is_prepared(repo: Repo) -> None:
    (repo.path / "lockship.toml").unlink()
    repo.write(
        "config/deploy.yml",
        "service: shop\nimage: acme/shop\nservers:\n  - localhost\nproxy: false\n",
    )
    made = convert(repo.path / "config/deploy.yml", repo.path)
    text = made[0].text.replace("root@localhost", "local")
    repo.write("lockship.toml", text)
    repo.commit("from Kamal")
    lock = prepare(repo.path).lock
    assert lock.image.repository == "docker.io/acme/shop"
    assert lock.deploy.retain == 5
    assert not made[0].left


def test_kamals_defaults_are_said(root: Path) -> None:
    """Where Kamal's differ from lockship's, or where lockship has none."""
    text = "service: shop\nimage: acme/shop\nservers:\n  - 192.0.2.1\nproxy:\n  host: shop.test\n"
    (root / "config/deploy.yml").write_text(text)
    (made,) = convert(root / "config/deploy.yml", root)
    config = parse({made.name: made.text.encode()})
    assert config.roles["web"].hosts == ("root@192.0.2.1",)
    assert (config.healthcheck.path, config.healthcheck.port) == ("/up", 80)
    assert config.proxy is not None
    assert config.proxy.port == 80
    assert config.deploy.retain == 5


def test_nothing_is_overwritten(root: Path) -> None:
    made = convert(root / "config/deploy.yml", root)
    (root / "lockship.toml").write_text("mine")
    with pytest.raises(RefusedError, match=r"lockship\.toml is there already"):
        write(made, root)
    assert (root / "lockship.toml").read_text() == "mine"


BOMB = "a0: &a0 [1]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(30))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n- b\n", "holds no table"),
        ("image: x\n", "names no service"),
        ("service: [\n", "no YAML"),
        (BOMB, "too many values"),
        ("- " + "<%" * 400_000, "holds no table"),
        ("service: !!timestamp x\n", "no YAML"),
        ("service: !!bool x\n", "no YAML"),
        ("service: !!int ''\n", "no YAML"),
        ("service: !!python/object/apply:os.system ['touch pwned']\n", "no YAML"),
    ],
)
def test_what_is_not_kamals(root: Path, text: str, said: str) -> None:
    (root / "config/deploy.yml").write_text(text)
    with pytest.raises(UsageError, match=said):
        convert(root / "config/deploy.yml", root)
    assert not (root / "pwned").exists()


KNOWN = {key for path in leaves(yaml.safe_load(WHOLE.read_text())) for key in path}
KEYS = st.sampled_from(sorted(KNOWN))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 99)
    | st.text(max_size=8)
    | st.sampled_from(("an 'open quote", "a\0b", "--5", "²")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def test_open_quotes_and_halves_of_characters(root: Path) -> None:
    (root / ".kamal/secrets").write_text("TOKEN=$(cat don't)\n")
    (root / "config/deploy.yml").write_text(
        "service: shop\nimage: acme/shop\nssh: {port: ten}\nenv:\n"
        '  clear: {A: "\\ud800"}\n  secret: [TOKEN]\nservers:\n  web:\n    hosts: [web1]\n'
        "    options: {health-cmd: don't, cpus: many}\n"
    )
    (made,) = convert(root / "config/deploy.yml", root)
    write((made,), root)
    tables = tomllib.loads((root / "lockship.toml").read_text())
    assert (tables["env"], tables["secrets"]) == ({"A": "?"}, {"TOKEN": "env:TOKEN"})
    named = {each.key for each in made.left}
    assert {"ssh.port", "servers.web.options.health-cmd", "env.secret.TOKEN"} <= named


def test_what_a_role_shares_with_an_accessory_stays_the_roles(root: Path) -> None:
    (root / "config/deploy.yml").write_text(
        "service: shop\nimage: acme/shop\nenv: {secret: [MAIN_DB_PASSWORD]}\nservers: [web1]\n"
        "accessories:\n  db: {image: db, host: web1, env: {secret: [MAIN_DB_PASSWORD]}}\n"
    )
    write(convert(root / "config/deploy.yml", root), root)
    tables = tomllib.loads((root / "lockship.toml").read_text())
    assert tables["roles"]["web"]["secrets"] == ["MAIN_DB_PASSWORD"]


@given(st.dictionaries(KEYS, VALUES, max_size=8))
def test_whatever_it_says_it_is_converted_or_refused(tables: dict[str, Any]) -> None:
    with suppress(LockshipError):
        _draft({"service": "shop", **tables}, Path("/nonexistent"), None)
