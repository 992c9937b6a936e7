"""The joins where a stage fails: the lockfile says what the hosts have. Without any fleet.

With one: tests/fleet and the property test.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from lockship.cli import lockfile, rollout
from lockship.errors import LockshipError
from lockship.lock import writer
from lockship.lock.model import Host, Lock
from tests.harness.cli import run_lockship
from tests.unit.deploy.samples import make_artifact, make_lock

# RFC 6761: a name that no resolver knows; and no key, so that nothing is ever trusted.
NOWHERE = ("nowhere.invalid",)


def built(content: str) -> Lock:
    lock = make_lock(content, hosts=NOWHERE)
    lock = writer.sealed(msgspec.structs.replace(lock, hosts={NOWHERE[0]: Host(port=1)}))
    return msgspec.structs.replace(lock, artifact=make_artifact(lock))


def test_a_rollback_that_changes_no_host_changes_no_lockfile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / ".shiplock"
    writer.write(path, built("new"))
    before = path.read_bytes()
    with pytest.raises(LockshipError, match="nothing was changed"):
        rollout.roll_back(lockfile.find(tmp_path, None), built("old"), wait=False, as_json=True)
    assert path.read_bytes() == before
    assert capsys.readouterr() == ("", "")


def test_an_unreachable_host_fails_the_deploy_and_is_named(tmp_path: Path) -> None:
    writer.write(tmp_path / ".shiplock", built("new"))
    done = run_lockship(["deploy"], tmp_path, os.environ).expect(1)
    assert done.stdout == ""
    assert "nowhere.invalid" in done.stderr
    assert "hint:" in done.stderr


def test_status_lists_a_host_that_cannot_be_reached(tmp_path: Path) -> None:
    writer.write(tmp_path / ".shiplock", built("new"))
    done = run_lockship(["status"], tmp_path, os.environ).expect(3)
    assert done.stdout.splitlines()[1].split() == ["nowhere.invalid", "unreachable"]
    assert "nowhere.invalid" in done.stderr


def test_a_plan_of_what_is_not_built_is_refused(tmp_path: Path) -> None:
    writer.write(tmp_path / ".shiplock", make_lock("new"))
    done = run_lockship(["deploy", "--plan"], tmp_path, os.environ).expect(3)
    assert "lockship build" in done.stderr


def test_a_build_that_fails_leaves_the_lock_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / ".shiplock"
    writer.write(path, make_lock("new"))
    before = path.read_bytes()
    env = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    done = run_lockship(["deploy"], tmp_path, env).expect(1)
    assert done.stderr.startswith("error: ")
    assert "bug" not in done.stderr
    assert path.read_bytes() == before
