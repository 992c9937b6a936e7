"""`lockship config`: what a configuration comes to, and where each value is said."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.harness.cli import Result, run_lockship
from tests.unit.gitrepo import Repo, create

CONFIG = """\
[service]
name = "shop"
[roles.web]
hosts = ["local"]
ports = ["80:80"]
secrets = []
[healthcheck]
port = 80
limit = 60
[env]
COLOUR = "\\u001b[31mred"
DEBUG = "1"
[secrets]
KEY = "env:SHOP_KEY"
"""
STAGING = """\
unset = ["env.DEBUG", "roles.web.ports", "healthcheck"]
[roles.web]
hosts = [
  "web1",
]
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = create(tmp_path / "shop")
    made.write("lockship.toml", CONFIG)
    made.write("lockship.staging.toml", STAGING)
    made.commit()
    return made


def run(repo: Repo, *words: str) -> Result:
    return run_lockship(("config", *words), repo.path, os.environ)


def test_every_value_is_shown_with_where_it_is_said(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_KEY", "hunter2")
    done = run(repo).expect(0)
    lines = [tuple(line.split()) for line in done.stdout.splitlines()]
    assert lines[:8] == [
        ("KEY", "VALUE", "FROM"),
        ("service.name", '"shop"', "lockship.toml:2"),
        ("roles.web.hosts", '["local"]', "lockship.toml:4"),
        ("roles.web.ports", '["80:80"]', "lockship.toml:5"),
        ("roles.web.restart", '"unless-stopped"', "default"),
        ("roles.web.stop-timeout", "10", "default"),
        ("roles.web.healthcheck", "true", "default"),
        ("roles.web.secrets", "[]", "lockship.toml:6"),
    ]
    assert ("secrets.KEY", '"env:SHOP_KEY"', "lockship.toml:14") in lines
    assert ("env.COLOUR", '"\\u001b[31mred"', "lockship.toml:11") in lines
    assert "hunter2" not in done.stdout + done.stderr
    assert done.stderr == f"read from commit {repo.head[:12]}\n"


def test_a_destination_says_which_file_said_it(repo: Repo) -> None:
    found = json.loads(run(repo, "-d", "staging", "--json").expect(0).stdout)
    values = {each["key"]: each for each in found["values"]}
    assert values["roles.web.hosts"] == {
        "key": "roles.web.hosts",
        "value": ["web1"],
        "file": "lockship.staging.toml",
        "line": 3,
    }
    assert values["roles.web.secrets"]["file"] == "lockship.toml"
    assert values["deploy.retain"]["file"] is None
    assert values["healthcheck.limit"]["file"] is None, "unset, so it is the default"
    assert {"roles.web.ports", "env.DEBUG", "healthcheck.port"} & set(values) == set()
    assert (found["commit"], found["forced"], found["differ"]) == (repo.head, False, [])


def test_it_reads_what_prepare_reads_and_says_that_the_working_tree_differs(repo: Repo) -> None:
    repo.write("lockship.toml", CONFIG.replace('"1"', '"2"'))
    before, objects = repo.state(), repo.git("count-objects")
    done = run(repo).expect(0)
    assert "lockship.toml in the working tree differs" in done.stderr
    assert '"1"' in done.stdout
    done = run(repo, "--force").expect(0)
    assert "read from the working tree; lockship.toml isn't so in commit" in done.stderr
    assert '"2"' in done.stdout
    assert repo.state() == before
    assert repo.git("count-objects") == objects


def test_from_a_folder_below_it_is_the_same(repo: Repo) -> None:
    repo.write("lockship.toml", CONFIG + "# more\n")
    repo.write("docs/page.md", "x")
    said = run(repo)
    below = run_lockship(("config",), repo.path / "docs", os.environ)
    assert (below.stdout, below.stderr) == (said.stdout, said.stderr)


def test_a_mistake_is_told_as_prepare_tells_it(repo: Repo) -> None:
    repo.write("lockship.toml", CONFIG.replace("ports", "port"))
    repo.commit()
    done = run(repo)
    prepared = run_lockship(("prepare",), repo.path, os.environ)
    assert (done.returncode, done.stderr) == (prepared.returncode, prepared.stderr)
    assert "lockship.toml:5: roles.web.port: found an unknown key, expected 'ports'?" in done.stderr


def test_a_new_file_is_seen_once_it_is_committed_or_with_force(repo: Repo) -> None:
    repo.write("lockship.eu.toml", "")
    done = run(repo, "-d", "eu").expect(2)
    assert "lockship.eu.toml is not in what is locked" in done.stderr
    assert run(repo, "-d", "eu", "--force").expect(0).stderr.startswith("read from the working tre")


def test_of_several_services_it_is_the_nearest_ones(repo: Repo) -> None:
    repo.write("api/lockship.toml", CONFIG.replace("shop", "api") + '[source]\npaths = ["api"]\n')
    repo.commit()
    said = run_lockship(("config",), repo.path / "api", os.environ).expect(0).stdout
    assert '"api"' in said
    assert "api/lockship.toml:2" in said
