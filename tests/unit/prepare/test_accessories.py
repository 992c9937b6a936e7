"""`[accessories.NAME]`: what is locked of it, and what is refused."""

from __future__ import annotations

import pytest

from lockship.errors import UsageError
from lockship.lock import reader
from lockship.lock.accessory import File, files_of
from lockship.prepare.prepare import check, prepare
from tests.unit.gitrepo import CONFIG, Repo
from tests.unit.locks import PINS, leave_pins
from tests.unit.prepare.test_config import MINIMAL, complaints

DB = """
[accessories.db]
image = "postgres:16"
role = "web"
command = "postgres -c 'a=b c'"
ports = ["5432:5432", "0.0.0.0:5433:5433", "10.0.0.1:5434:5434", "[::1]:5435:5435/udp"]
files = ["db/my.cnf:/etc/my.cnf", "db/tool:/usr/bin/tool"]
"""


def configured(repo: Repo, text: str = DB) -> Repo:
    (repo.path / "db").mkdir()
    (repo.path / "db/my.cnf").write_text("a = 1\n")
    (repo.path / "db/tool").write_text("#!/bin/sh\n")
    (repo.path / "db/tool").chmod(0o755)
    (repo.path / "lockship.toml").write_text(CONFIG + text)
    repo.commit("a database")
    leave_pins(repo.path)
    return repo


def test_what_is_locked(repo: Repo) -> None:
    prepared = prepare(configured(repo).path)
    db = prepared.lock.accessories["db"]
    assert db.hosts == prepared.lock.roles["web"].hosts
    assert db.image == f"postgres:16@{PINS['postgres:16']}"
    assert db.command == ("postgres", "-c", "a=b c")
    assert db.ports == (
        "127.0.0.1:5432:5432", "0.0.0.0:5433:5433", "10.0.0.1:5434:5434", "[::1]:5435:5435/udp",
    )  # fmt: skip
    blobs = [repo.git("rev-parse", f"HEAD:db/{name}") for name in ("my.cnf", "tool")]
    assert files_of(db) == [
        File(0o644, blobs[0], "db/my.cnf", "/etc/my.cnf"),
        File(0o755, blobs[1], "db/tool", "/usr/bin/tool"),
    ]
    assert reader.read(prepared.path) == prepared.lock
    (note,) = prepared.notes
    assert "accessories.db: 0.0.0.0:5433:5433 is open" in note


def test_a_changed_file_makes_another_lock_and_a_dirty_one_is_locked_by_force(repo: Repo) -> None:
    first = prepare(configured(repo).path)
    assert not check(repo.path).differences
    (repo.path / "db/my.cnf").write_text("a = 2\n")
    forced = prepare(repo.path, force=True)
    (mine, other) = (files_of(each.lock.accessories["db"])[0].blob for each in (first, forced))
    assert mine != other
    assert repo.git("cat-file", "blob", other) == "a = 2"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("db/nothing", "db/nothing is not in what is locked"),
        ("db", "db is no regular file in what is locked"),
        ("db/large", "db/large is kept in Git LFS"),
    ],
)
def test_files_that_cannot_be_locked(repo: Repo, path: str, said: str) -> None:
    configured(repo, DB.replace("db/my.cnf:", f"{path}:"))
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"
    (repo.path / "db/large").write_text(pointer)
    repo.commit("large")
    with pytest.raises(UsageError) as caught:
        prepare(repo.path)
    assert caught.value.message == f"accessories.db.files: {said}."


ACCESSORY = '[accessories.db]\nimage = "a:1"\n'


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        (ACCESSORY, "accessories.db.hosts", "the role on whose hosts it runs"),
        (ACCESSORY + 'role = "web"\nhosts = ["a"]', "accessories.db.role", "one of the two"),
        (ACCESSORY + 'role = "wbe"', "accessories.db.role", "one of the roles: web"),
        (ACCESSORY + "hosts = []", "accessories.db.hosts", "at least 1"),
        (ACCESSORY + 'hosts = ["a", "a"]', "accessories.db.hosts[1]", "once in an accessory"),
        (ACCESSORY.replace("db", "all") + 'role = "web"', "accessories.all", "all accessories"),
        (ACCESSORY.replace("a:1", "a") + 'role = "web"', "accessories.db.image", "with its tag"),
        (ACCESSORY + 'role = "web"\nports = ["80:80", "80:81"]', "accessories.db.ports[1]", "db"),
        (ACCESSORY + 'role = "web"\nports = ["0:80"]', "accessories.db.ports[0]", "1 to 65535"),
        (ACCESSORY + 'role = "web"\nsecrets = ["A"]', "accessories.db.secrets[0]", "in [secrets]"),
        (
            ACCESSORY + 'role = "web"\nlabels = { "dev.lockship.owner" = "x" }',
            "accessories.db.labels",
            "outside dev.lockship.*",
        ),
        (ACCESSORY + 'role = "web"\ncommand = "a \'"', "accessories.db.command", "splits"),
        (
            ACCESSORY + 'role = "web"\nfiles = ["a:/b"]\noptions = { read-only = true }',
            "accessories.db.options.read-only",
            "because of the files",
        ),
        (
            ACCESSORY + 'role = "web"\noptions = { networks = ["lockship"] }',
            "accessories.db.options.networks[0]",
            "a network of your own",
        ),
        (ACCESSORY.replace("db", "web") + 'role = "web"', "accessories.web", "of its own"),
        (
            ACCESSORY + 'role = "web"\nhealthcheck = { path = "/up" }',
            "accessories.db.healthcheck.port",
            "because there is a path",
        ),
        (ACCESSORY + 'role = "web"\nfiles = ["a:/b", "c:/b"]', "accessories.db.files[1]", "own"),
        (
            ACCESSORY + 'role = "web"\nsecrets = ["A"]\nenv = { A = "1" }\n[secrets]\nA = "env:A"',
            "accessories.db.secrets[0]",
            "one of the two",
        ),
    ],
)
def test_rules(text: str, key: str, expected: str) -> None:
    (one,) = complaints(MINIMAL + text + "\n")
    assert key in one
    assert expected in one


@pytest.mark.parametrize(
    "file", ["../a:/b", "/etc/passwd:/b", "a/../../b:/b", "a:/b/../c", "a:b", "a:/", "a", "./a:/b"]
)
def test_files_that_lead_out(file: str) -> None:
    (one,) = complaints(MINIMAL + ACCESSORY + f'role = "web"\nfiles = ["{file}"]\n')
    assert "accessories.db.files[0]" in one
    assert "without '..'" in one


def test_a_port_of_a_role_on_the_same_host_and_address_clashes() -> None:
    web = MINIMAL + 'ports = ["80:80"]\n'
    (one,) = complaints(web + ACCESSORY + 'role = "web"\nports = ["80:80"]\n')
    assert "accessories.db.ports[0]" in one
    assert "a port of local that role web doesn't publish" in one
    apart = web.replace("80:80", "10.0.0.1:80:80")
    assert (
        "nosuch"
        in complaints(apart + ACCESSORY + 'role = "web"\nports = ["80:80"]\nnosuch = 1\n')[0]
    )  # the ports are fine: one is 127.0.0.1's
