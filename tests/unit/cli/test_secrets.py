"""`lockship secrets check`, and that nothing which is hidden is printed by any way out."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest

from lockship.lock import writer
from lockship.lock.accessory import Accessory
from lockship.lock.proxy import Proxy, ProxyTls
from lockship.lock.registry import Registry
from lockship.lock.role import Role
from tests.harness.cli import lockship_command
from tests.unit.cli.terminal import on_terminal, python
from tests.unit.locks import make_lock

VALUE = "correct horse battery"


def check(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        lockship_command(["secrets", "check", *words]),
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
    )


def test_check_says_which_can_be_had_and_never_what_they_are(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"B='{VALUE}'\n")
    sources = {"A": "env:SHOP_A", "B": "dotenv:.env#B", "C": "file:nowhere"}
    writer.write(tmp_path / ".shiplock", make_lock(secrets=sources))
    done = check(tmp_path, SHOP_A=VALUE)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "NAME  SOURCE         VERDICT",
        "A     env:SHOP_A     found",
        "B     dotenv:.env#B  found",
        "C     file:nowhere   the file can't be read: No such file or directory",
    ]
    assert VALUE not in done.stdout + done.stderr
    (tmp_path / "nowhere").write_text("now\n")
    done = check(tmp_path, "--json", SHOP_A=VALUE)
    assert done.returncode == 0
    assert [row["found"] for row in json.loads(done.stdout)["secrets"]] == [True, True, True]
    assert VALUE not in done.stdout


WAYS_OUT = {
    "data": "console.data(told)",
    "bytes": "console.data_bytes(told.encode())",
    "json": "console.data_json({'told': told})",
    "said": "console.say(told)",
    "error": "raise LockshipError(told, details=[told], hint=told)",
    "bug": "raise ValueError(told)",
    "progress": "with progress.shown() as report: report(Event('done', told)); "
    "report(Event('line', told)); report(Event('note', told))",
}


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("way", WAYS_OUT)
def test_nothing_that_is_hidden_gets_out(way: str, terminal: bool, tmp_path: Path) -> None:
    program = (
        "import base64, sys\n"
        "from lockship.cli import boundary, console, masking, progress\n"
        "from lockship.errors import LockshipError\n"
        "from lockship.progress import Event\n"
        f"value = {VALUE!r}\n"
        "told = 'so: ' + value + ' and ' + base64.b64encode(value.encode()).decode()\n"
        "masking.hide([value])\n"
        f"try:\n    {WAYS_OUT[way]}\n"
        "except Exception as error: sys.exit(boundary.report(error, []))\n"
    )
    env = {"XDG_STATE_HOME": str(tmp_path)}
    if terminal:
        _, printed = on_terminal(python(program), tmp_path, env)
    else:
        done = subprocess.run(
            python(program), env={**os.environ, **env}, capture_output=True, text=True
        )
        printed = done.stdout + done.stderr
    logs = "".join(path.read_text() for path in tmp_path.rglob("*.log"))
    assert "[hidden] and [hidden]" in printed
    assert VALUE not in printed + logs
    assert base64.b64encode(VALUE.encode()).decode()[:-4] not in printed + logs


EVERYWHERE = {
    "APP": "env:SHOP_APP",
    "BUILD": "file:build.txt",
    "CERT": "file:shop.pem",
    "DB": "bitwarden:shop#db",
    "DB_ADMIN": "bitwarden:shop#admin",
    "KEY": "file:shop.key",
    "ROBOT": "env:SHOP_ROBOT",
}


def locked_everywhere(folder: Path) -> None:
    """Leave a lock with a secret in every place that takes one, and a manager that has none."""
    tls = ProxyTls(certificate="CERT", key="KEY")
    accessory = Accessory(image="db:1", hosts=("local",), secrets=("DB", "DB_ADMIN"))
    lock = make_lock(
        roles={"web": Role(hosts=("local",), proxy=True, secrets=("APP",))},
        proxy=Proxy(port=80, hosts=("shop.test",), tls=tls),
        build={"secrets": ("BUILD",)},
        registry=Registry(username="robot", password="ROBOT", server="r.example.com"),
        accessories={"db": accessory},
        secrets=EVERYWHERE,
    )
    writer.write(folder / ".shiplock", lock)
    (folder / "bin").mkdir()
    manager = folder / "bin/bw"
    manager.write_text('#!/bin/sh\necho "$@" >> calls\necho "You are not logged in." >&2; exit 1\n')
    manager.chmod(0o755)


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (["deploy"], set(EVERYWHERE)),
        (["build"], {"BUILD", "ROBOT"}),
        (["accessory", "boot", "db"], {"DB", "DB_ADMIN"}),
    ],
)
def test_each_missing_one_is_named_with_its_source_before_anything_starts(
    tmp_path: Path, words: list[str], missing: set[str]
) -> None:
    """Wherever it is for, and of one item in a manager two are fetched by one call."""
    locked_everywhere(tmp_path)
    before = (tmp_path / ".shiplock").read_bytes()
    nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/none", "PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
    done = subprocess.run(
        lockship_command(words),
        cwd=tmp_path,
        env={**os.environ, **nowhere},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert f"{len(missing)} secrets can't be had; nothing was changed." in done.stderr
    for name, source in EVERYWHERE.items():
        assert (f"{name} from {source}: " in done.stderr) == (name in missing)
    calls = tmp_path / "calls"
    asked = calls.read_text() if calls.exists() else ""
    assert asked == ("get item shop\n" if "DB" in missing else "")
    assert (tmp_path / ".shiplock").read_bytes() == before


def test_all_are_fetched_at_the_same_time(tmp_path: Path) -> None:
    """Each of two programs waits for the other one: one by one they would never end."""
    meet = "cmd:sh -c 'touch {}; until [ -e {} ]; do sleep 0.01; done; echo met-the-other'"
    sources = {"A": meet.format("a", "b"), "B": meet.format("b", "a")}
    writer.write(tmp_path / ".shiplock", make_lock(secrets=sources))
    assert check(tmp_path).returncode == 0
