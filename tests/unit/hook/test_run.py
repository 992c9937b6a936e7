"""Deploy hooks run as they were locked: what they are told, what is shown of them, how they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lockship import programs
from lockship.errors import InterruptedByUser, RefusedError
from lockship.hook.environment import Occasion
from lockship.hook.lines import KEPT, lines
from lockship.hook.run import Hook, HookFailed, run
from lockship.hook.scripts import read
from lockship.lock import writer
from lockship.lock.fingerprint import sealed
from lockship.lock.image import Artifact
from lockship.lock.model import Host, Lock
from lockship.lock.reader import read as read_lock
from lockship.prepare.prepare import prepare
from lockship.progress import Event
from lockship.secrets.mask import Mask
from tests.harness import until
from tests.harness.cli import lockship_command
from tests.unit.gitrepo import Repo, clone, create

FOLDER = ".lockship/hooks"
IMAGE = "sha256:" + "a" * 64
OCCASION = Occasion("deploy", "ada@laptop", "2026-03-03T14:00:00Z", 2.6, "1.0", "")


def locked(path: Path, **scripts: str) -> tuple[Repo, Lock]:
    """Return a repository with these hooks, and its lock."""
    repo = create(path / "shop")
    for name, script in scripts.items():
        repo.write(f"{FOLDER}/{name.replace('_', '-')}", script, executable=True)
    repo.commit("Run scripts")
    return repo, prepare(repo.path).lock


def ran(repo: Repo, lock: Lock, name: str = "pre-deploy", **more: Any) -> list[str]:
    """Run a hook; return the lines that it printed."""
    seen: list[Event] = []
    also = more.pop("report", lambda _: None)

    def report(event: Event) -> None:
        seen.append(event)
        also(event)

    words: dict[str, Any] = {"hide": bytes, "report": report} | more
    hook = Hook(name, read(repo.path, lock)[name], lock, repo.path, repo.path, OCCASION, os.environ)
    try:
        run(hook, **words)
    finally:
        ends = [event.kind for event in seen if event.kind != "line"]
        assert ends[0] == "start"
        assert len(ends) == 2
    return [event.step for event in seen if event.kind == "line"]


def limited(lock: Lock, seconds: float) -> Lock:
    assert lock.hooks is not None
    return sealed(replace(lock, hooks=replace(lock.hooks, timeout=seconds)))


def test_the_working_tree_has_no_say(tmp_path: Path) -> None:
    repo, lock = locked(tmp_path, pre_deploy="#!/bin/sh\necho locked\n")
    repo.write(f"{FOLDER}/pre-deploy", "#!/bin/sh\necho edited; exit 1\n", executable=True)
    assert ran(repo, lock) == ["pre-deploy: locked"]
    repo.commit("Edit the hook")
    assert ran(repo, lock) == ["pre-deploy: locked"]
    repo.git("replace", lock.hooks.blobs["pre-deploy"], "HEAD:app.txt")  # type: ignore[union-attr]
    assert ran(repo, lock) == ["pre-deploy: locked"]


def test_what_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        f"#!{sys.executable}\nimport json, os, sys\n"
        "print(json.dumps([dict(os.environ), sys.argv, os.getcwd(), sys.stdin.read()]))\n"
        "print(open(os.environ['LOCKSHIP_LOCKFILE']).read().count('lock-version'))\n"
        "script = sys.argv[0]\n"
        "print(oct(os.stat(script).st_mode), oct(os.stat(os.path.dirname(script)).st_mode))\n"
    )
    repo, lock = locked(tmp_path, pre_deploy=script)
    roles = {name: replace(lock.roles["web"], hosts=("web2", "web1")) for name in ("web", "job")}
    hosts = {"db.of.an.accessory": Host(), "web1": Host(), "web2": Host()}
    lock = sealed(replace(lock, roles=roles, hosts=hosts))
    lock = replace(lock, artifact=Artifact(key=IMAGE, image_id=IMAGE))
    for name in ("LOCKSHIP_ODD", "KAMAL_ODD", "GIT_DIR", "GIT_INDEX_FILE", "LOCKSHIP_LOCKFILE"):
        monkeypatch.setenv(name, "from outside")
    monkeypatch.setenv("CHAT_URL", "https://chat.example")
    first, count, modes = (line.removeprefix("pre-deploy: ") for line in ran(repo, lock))
    env, argv, cwd, stdin = json.loads(first)
    version = lock.service.version
    ours = {k.removeprefix("LOCKSHIP_"): v for k, v in env.items() if k.startswith("LOCKSHIP_")}
    copy = Path(ours.pop("LOCKFILE"))
    told = {
        "VERSION": version,
        "SERVICE": "shop",
        "DESTINATION": "",
        "COMMIT": lock.source.commit,
        "IMAGE": IMAGE,
        "HOSTS": "web2,web1",
        "ROLES": "web,job",
        "COMMAND": "deploy",
        "PERFORMER": "ada@laptop",
        "RECORDED_AT": "2026-03-03T14:00:00Z",
        "PREVIOUS_VERSION": "1.0",
        "RUNTIME": "3",
        "ERROR": "",
        "HOOK": "pre-deploy",
        "FOLDER": str(repo.path),
    }
    assert ours == told
    assert {k: v for k, v in env.items() if k.startswith("KAMAL_")} == {
        "KAMAL_VERSION": version,
        "KAMAL_SERVICE": "shop",
        "KAMAL_SERVICE_VERSION": f"shop@{version}",
        "KAMAL_HOSTS": "web2,web1",
        "KAMAL_ROLES": "web,job",
        "KAMAL_COMMAND": "deploy",
        "KAMAL_PERFORMER": "ada@laptop",
        "KAMAL_RECORDED_AT": "2026-03-03T14:00:00Z",
        "KAMAL_RUNTIME": "3",
    }
    assert env["CHAT_URL"] == "https://chat.example"
    assert not {"GIT_DIR", "GIT_INDEX_FILE"} & set(env)
    assert (cwd, stdin) == (str(repo.path), "")
    assert copy.is_absolute()
    assert copy.parent == Path(argv[0]).parent
    assert Path(argv[0]).name == "pre-deploy"
    assert argv[1:] == []
    assert count == "1"
    assert modes == "0o100700 0o40700"
    assert not copy.parent.exists(), "it goes with the hook"


def test_the_digest_is_told_where_there_is_one(tmp_path: Path) -> None:
    repo, lock = locked(tmp_path, pre_deploy='#!/bin/sh\necho "<$LOCKSHIP_IMAGE>"\n')
    assert ran(repo, lock) == ["pre-deploy: <>"], "before it is built"
    pushed = Artifact(key=IMAGE, image_id=IMAGE, digest="sha256:" + "b" * 64)
    assert ran(repo, replace(lock, artifact=pushed)) == [f"pre-deploy: <shop@{pushed.digest}>"]


def test_the_copy_is_the_very_lock(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    repo, lock = locked(tmp_path, pre_deploy=f'#!/bin/sh\ncp "$LOCKSHIP_LOCKFILE" {kept}\n')
    ran(repo, lock)
    assert read_lock(kept) == lock


def test_a_status_that_is_not_0(tmp_path: Path) -> None:
    repo, lock = locked(
        tmp_path, pre_deploy="#!/bin/sh\nexit 7\n", post_deploy="#!/bin/sh\nkill $$\n"
    )
    with pytest.raises(HookFailed, match="pre-deploy: the hook ended with exit status 7"):
        ran(repo, lock)
    with pytest.raises(HookFailed, match="post-deploy: the hook was ended by signal 15"):
        ran(repo, lock, "post-deploy")


def test_one_that_can_not_be_run(tmp_path: Path) -> None:
    repo, lock = locked(tmp_path, pre_deploy="#!/no/such/shell\n")
    with pytest.raises(HookFailed) as caught:
        ran(repo, lock)
    assert "can't be run: No such file" in caught.value.message
    assert "#!/no/such/shell" in caught.value.hint


def test_the_limit_ends_all_that_it_started(tmp_path: Path) -> None:
    """A child that doesn't mind SIGTERM, and the hook itself, which does."""
    stubborn = "(trap '' TERM; echo $$ >child; while :; do sleep 0.1; done) &\n"
    script = (
        f"#!/bin/sh\n{stubborn}trap 'echo bye; exit 0' TERM\necho hi\n"
        "while :; do sleep 0.1 2>/dev/null; done\n"
    )
    repo, lock = locked(tmp_path, pre_deploy=script)
    begin = time.monotonic()
    seen: list[Event] = []
    with pytest.raises(HookFailed, match="didn't end within 1 s"):
        ran(repo, limited(lock, 1), report=seen.append)
    assert time.monotonic() - begin < 5
    said = [event.step for event in seen if event.kind == "line"]
    assert said[0] == "pre-deploy: hi"
    assert said[-1] == "pre-deploy: bye", "its last words are shown too"
    until(lambda: not group_of(repo.path / "child"), 3, "the child to end")


def group_of(pidfile: Path) -> list[str]:
    """The processes of a hook that wrote its pid, from the kernel's list."""
    pid = pidfile.read_text().strip()
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[2] == pid and fields[0] != "Z":
            found.append(stat.parent.name)
    return found


def test_one_that_minds_no_signal_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "GRACE", 0.5)
    script = "#!/bin/sh\ntrap '' TERM INT HUP\nwhile :; do sleep 0.1; done\n"
    repo, lock = locked(tmp_path, pre_deploy=script)
    begin = time.monotonic()
    with pytest.raises(HookFailed, match=r"didn't end within 0\.5 s"):
        ran(repo, limited(lock, 0.5))
    assert 1 <= time.monotonic() - begin < 5


def test_an_interruption_ends_it(tmp_path: Path) -> None:
    script = "#!/bin/sh\necho $$ >child\necho up\nsleep 600\n"
    repo, lock = locked(tmp_path, pre_deploy=script)
    stop = threading.Event()
    seen: list[Event] = []

    def report(event: Event) -> None:
        seen.append(event)
        if event.step == "pre-deploy: up":
            stop.set()

    with pytest.raises(InterruptedByUser, match="in the pre-deploy hook"):
        ran(repo, lock, report=report, stop=stop)
    assert seen[-1] == Event("stopped", "hook pre-deploy")
    assert group_of(repo.path / "child") == []


def test_one_whose_lockship_is_killed_ends_too(tmp_path: Path) -> None:
    """What watches over the hook ends it and its child; their folder goes with the next hook."""
    script = "#!/bin/sh\nexec >/dev/null 2>&1\nsleep 600 & echo $$ >new; mv new child; wait\n"
    repo, lock = locked(tmp_path, pre_deploy=script, post_deploy="#!/bin/sh\necho $0\n")
    writer.write(repo.path / ".shiplock", lock)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    words = lockship_command(["hook", "run", "pre-deploy"])
    env = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(words, cwd=repo.path, env=env, stderr=subprocess.PIPE) as lockship:
        until((repo.path / "child").exists, 10, "the hook to run")
        assert len(group_of(repo.path / "child")) == 2
        lockship.kill()
    until(lambda: not group_of(repo.path / "child"), 4, "the hook and its child to end")
    (left,) = temporary.iterdir()
    words = lockship_command(["hook", "run", "post-deploy"])
    done = subprocess.run(words, cwd=repo.path, env=env, capture_output=True, text=True)
    assert (done.returncode, left.exists()) == (0, False), done.stderr
    assert list(temporary.iterdir()) == []


def test_what_it_leaves_in_the_background_goes_on(tmp_path: Path) -> None:
    """Such as a tunnel that it opened: its output isn't waited for, or shown, any longer."""
    script = "#!/bin/sh\n(echo $$ >child; sleep 3; echo later) &\necho opened\n"
    repo, lock = locked(tmp_path, pre_connect=script)
    begin = time.monotonic()
    assert ran(repo, lock, "pre-connect") == ["pre-connect: opened"]
    assert time.monotonic() - begin < 2.9
    assert group_of(repo.path / "child") != []
    until(lambda: not group_of(repo.path / "child"), 5, "the background job to end")


def test_output_is_shown_as_it_comes_and_a_secret_never(tmp_path: Path) -> None:
    """The secret is written in two halves, on stdout and stderr, and in a line without an end."""
    script = (
        "#!/bin/sh\nprintf 'one hunt'; sleep 0.2; printf 'er22 end\\n' >&2\n"
        "while [ ! -e seen ]; do sleep 0.05; done\nprintf 'two\\rthree hunter22'\n"
    )
    repo, lock = locked(tmp_path, pre_deploy=script)

    def report(event: Event) -> None:
        if event.kind == "line":
            (repo.path / "seen").touch()  # it waits for that: so it is shown before the hook ends

    assert ran(repo, lock, report=report, hide=Mask(["hunter22"]).data) == [
        "pre-deploy: one [hidden] end",
        "pre-deploy: two",
        "pre-deploy: three [hidden]",
    ]


PIECES = [b"hun", b"ter22", b"hunter22", b"\n", b"\r", b"\r\n", b"x" * KEPT, b"ab"]


@given(st.lists(st.sampled_from(PIECES)))
def test_no_cut_shows_a_secret(pieces: list[bytes]) -> None:
    """However output comes in pieces, what is shown is what a mask of the whole would leave."""
    mask = Mask(["hunter22"])
    shown = list(lines(pieces, mask.data))
    assert not any(b"hunter22" in line for line in shown)
    whole = b"".join(pieces).replace(b"\r", b"\n").split(b"\n")
    assert b"".join(shown) == b"".join(map(mask.data, whole))


def test_without_the_repository_nothing_begins(tmp_path: Path) -> None:
    _, lock = locked(tmp_path, pre_deploy="#!/bin/sh\n", post_deploy="#!/bin/sh\n")
    with pytest.raises(RefusedError, match=r"pre-deploy, post-deploy.*isn't here") as caught:
        read(tmp_path, lock)
    assert lock.source.commit[:12] in caught.value.hint
    other = create(tmp_path / "other")
    with pytest.raises(RefusedError, match="aren't in this repository") as caught:
        read(other.path, lock)
    assert len(caught.value.details) == 2
    assert f"git fetch origin {lock.source.commit}" in caught.value.hint
    assert read(other.path, replace(lock, hooks=None)) == {}


def test_a_forced_locks_scripts_are_in_its_snapshot(tmp_path: Path) -> None:
    repo, _ = locked(tmp_path, pre_deploy="#!/bin/sh\necho committed\n")
    repo.write(f"{FOLDER}/pre-deploy", "#!/bin/sh\necho forced\n", executable=True)
    lock = prepare(repo.path, force=True).lock
    assert ran(repo, lock) == ["pre-deploy: forced"]
    with pytest.raises(RefusedError) as caught:
        read(clone(repo, tmp_path / "clone").path, lock)
    ref = f"refs/lockship/snapshots/{lock.service.version}"
    assert f"git fetch origin {ref}:{ref}" in caught.value.hint
