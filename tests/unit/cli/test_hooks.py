"""Deploy hooks through the command line, without any host that answers. With some: tests/fleet."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from lockship.cli.lockedhooks import asked_for, skipped
from lockship.lock import writer
from lockship.lock.fingerprint import build_key, sealed
from lockship.lock.image import Artifact
from lockship.lock.model import Host, Lock
from lockship.lock.reader import read
from lockship.prepare.prepare import prepare
from tests.harness import Result, run_lockship
from tests.harness.cli import lockship_command
from tests.unit.gitrepo import CONFIG, Repo, create
from tests.unit.hook.scenes import environment

FOLDER = ".lockship/hooks"
IMAGE = "sha256:" + "a" * 64
TOLD = '#!/bin/sh\necho "$LOCKSHIP_HOOK of $LOCKSHIP_COMMAND: $LOCKSHIP_ERROR"\n'


def locked(path: Path, more: str = "", **scripts: str) -> Repo:
    """Return a repository whose lock has these hooks, is built, and names a host that isn't."""
    repo = create(path / "shop", config=CONFIG + more)
    for name, script in scripts.items():
        repo.write(f"{FOLDER}/{name.replace('_', '-')}", script, executable=True)
    repo.commit("Run scripts", "--allow-empty")
    lock = prepare(repo.path).lock
    nowhere = "nowhere.invalid"  # RFC 6761: a name that no resolver knows
    roles = {"web": replace(lock.roles["web"], hosts=(nowhere,))}
    lock = sealed(replace(lock, roles=roles, hosts={nowhere: Host(port=1)}))
    lock = replace(lock, artifact=Artifact(key=build_key(lock), image_id=IMAGE))
    writer.write(repo.path / ".shiplock", lock)
    return repo


def lockship(repo: Repo, *words: str, expect: int = 0, **env: str) -> Result:
    return run_lockship(words, repo.path, {**environment(), **env}).expect(expect)


def the_lock(repo: Repo) -> Lock:
    return read(repo.path / ".shiplock")


def test_a_failed_deploy_is_told_and_its_error_comes_last(tmp_path: Path) -> None:
    failing = TOLD + "exit 3\n"
    repo = locked(tmp_path, pre_connect=TOLD, deploy_failed=failing, pre_deploy=TOLD)
    said = lockship(repo, "deploy", expect=1).stderr
    lines = [line.partition("| ")[2] for line in said.splitlines() if "| " in line]
    assert lines[0] == "pre-connect: pre-connect of deploy: "
    assert lines[1].startswith("deploy-failed: deploy-failed of deploy: 1 host can't be reached")
    error = said.rpartition("error: ")[2]
    assert error.startswith("1 host can't be reached; nothing was changed.\n")
    assert "deploy-failed: the hook ended with exit status 3\n" in error
    assert "pre-deploy" not in said, "no host was connected to"


def test_a_hook_that_says_no_before_a_connection(tmp_path: Path) -> None:
    repo = locked(tmp_path, pre_connect="#!/bin/sh\necho no VPN >&2\nexit 7\n", deploy_failed=TOLD)
    said = lockship(repo, "deploy", expect=1).stderr
    assert "| pre-connect: no VPN\n" in said
    assert "error: pre-connect: the hook ended with exit status 7; nothing was changed.\n" in said
    assert "deploy-failed of deploy: pre-connect: the hook ended with exit status 7" in said
    assert "nowhere.invalid" not in said
    quiet = lockship(repo, "deploy", "--json", expect=1)
    assert quiet.stdout == ""
    assert "pre-connect: no VPN" in quiet.stderr, "nobody saw it come"


def test_a_rollback_says_it_before_it_asks_a_host(tmp_path: Path) -> None:
    repo = locked(tmp_path, pre_connect="#!/bin/sh\nexit 7\n", deploy_failed=TOLD)
    before = (repo.path / ".shiplock").read_bytes()
    said = lockship(repo, "rollback", expect=1).stderr
    assert "deploy-failed of rollback: pre-connect: the hook ended with exit status 7" in said
    assert "nowhere.invalid" not in said
    assert (repo.path / ".shiplock").read_bytes() == before


def test_a_lock_alone_is_refused_before_anything(tmp_path: Path) -> None:
    repo = locked(tmp_path, post_deploy=TOLD)
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / ".shiplock").write_bytes((repo.path / ".shiplock").read_bytes())
    said = lockship(Repo(alone), "deploy", expect=3).stderr
    assert said.startswith("error: The lock names deploy hooks (post-deploy), and the git repo")
    assert the_lock(repo).source.commit[:12] in said


def test_in_an_emergency_some_or_all_are_skipped(tmp_path: Path) -> None:
    repo = locked(
        tmp_path, pre_connect="#!/bin/sh\nexit 7\n", deploy_failed=TOLD, post_rollback=TOLD
    )
    said = lockship(repo, "deploy", "--skip-hooks", "pre-connect,pre-switch", expect=1).stderr
    assert said.startswith("hooks skipped: pre-connect\n")
    assert "pre-connect:" not in said
    assert "deploy-failed of deploy: 1 host can't be reached" in said
    said = lockship(repo, "rollback", "--skip-hooks", "all", expect=1).stderr
    assert "deploy-failed:" not in said
    assert "not all can be reached" in said
    misspelt = lockship(repo, "deploy", "--skip-hooks", "pre-deplyo", expect=2).stderr
    assert "There is no hook called 'pre-deplyo'.\nhint:  Did you mean pre-deploy?" in misspelt
    empty = lockship(repo, "deploy", "--skip-hooks", "", expect=2).stderr
    assert "There are: pre-build, " in empty


def test_a_hook_that_is_skipped_needs_not_be_here(tmp_path: Path) -> None:
    repo = locked(tmp_path, post_deploy=TOLD)
    alone = Repo(tmp_path / "alone")
    alone.path.mkdir()
    (alone.path / ".shiplock").write_bytes((repo.path / ".shiplock").read_bytes())
    lockship(alone, "deploy", "--skip-hooks", "pre-deploy", expect=3)
    said = lockship(alone, "deploy", "--skip-hooks", "post-deploy", expect=1).stderr
    assert "can't be reached" in said


def test_which_of_a_lock_are_skipped(tmp_path: Path) -> None:
    lock = the_lock(locked(tmp_path, pre_deploy=TOLD, post_deploy=TOLD, post_rollback=TOLD))
    every = asked_for("all")
    assert skipped(lock, every, "deploy") == ("pre-deploy", "post-deploy")
    assert skipped(lock, every, "rollback") == ("pre-deploy", "post-rollback")
    assert skipped(lock, asked_for("post-deploy, pre-build"), "deploy") == ("post-deploy",)
    assert skipped(lock, asked_for(None), "deploy") == ()


def test_run_by_hand(tmp_path: Path) -> None:
    repo = locked(tmp_path, post_deploy=TOLD + "printf '\\033[2Jsecret: %s' hunter22\n")
    (repo.path / FOLDER / "post-deploy").write_text("#!/bin/sh\nexit 9\n")
    done = lockship(repo, "hook", "run", "post-deploy")
    assert done.stdout == ""
    assert "| post-deploy: post-deploy of hook: \n" in done.stderr
    assert "| post-deploy: \\x1b[2Jsecret: hunter22\n" in done.stderr
    assert "\x1b" not in done.stderr
    unlocked = lockship(repo, "hook", "run", "pre-deploy", expect=2).stderr
    assert unlocked.startswith("error: The lock has no pre-deploy hook.\nhint:  Locked are: post-d")
    misspelt = lockship(repo, "hook", "run", "pre-deplyo", expect=2).stderr
    assert "Did you mean pre-deploy?" in misspelt


def test_secrets_of_the_lock_are_not_shown(tmp_path: Path) -> None:
    script = "#!/bin/sh\nprintf 'is hunt'; sleep 0.1; echo er22, $(printf hunter22 | base64)\n"
    repo = locked(tmp_path, '\n[secrets]\nTOKEN = "env:SHOP_TOKEN"\n', pre_connect=script)
    for words in (("hook", "run", "pre-connect"), ("deploy",)):
        expect = 1 if words == ("deploy",) else 0
        said = lockship(repo, *words, expect=expect, SHOP_TOKEN="hunter22").stderr
        assert "| pre-connect: is [hidden], [hidden]\n" in said


def test_list_tells_what_is_locked_and_what_is_here(tmp_path: Path) -> None:
    scripts = dict.fromkeys(("pre_build", "pre_connect", "pre_deploy", "pre_switch"), TOLD)
    repo = locked(tmp_path, **scripts)
    hooks = repo.path / FOLDER
    (hooks / "pre-connect").write_text("#!/bin/sh\n")
    (hooks / "pre-deploy").unlink()
    (hooks / "pre-switch").chmod(0o644)
    repo.write(f"{FOLDER}/post-deploy", TOLD, executable=True)
    blob = repo.git("rev-parse", f"HEAD:{FOLDER}/pre-build")
    verdicts = {
        "pre-build": "as locked",
        "pre-connect": "differs in the working tree",
        "pre-deploy": "not in the working tree",
        "pre-switch": "not an executable file in the working tree",
        "post-deploy": "not locked",
    }
    rows = lockship(repo, "hook", "list").stdout.splitlines()[1:]
    assert {row.split()[0]: row.split(maxsplit=2)[2] for row in rows} == verdicts
    assert rows[0].split()[1] == blob[:12]
    data = json.loads(lockship(repo, "hook", "list", "--json").stdout)["hooks"]
    assert {row["name"]: row["verdict"] for row in data} == verdicts
    assert data[0]["blob"] == blob
    assert data[-1]["blob"] is None


def test_a_plan_lists_the_hooks_and_runs_none(tmp_path: Path) -> None:
    repo = locked(tmp_path, pre_connect="#!/bin/sh\ntouch ran\n")
    lockship(repo, "deploy", "--plan", expect=1)  # the host isn't there
    assert not (repo.path / "ran").exists()


# --- A lockship inside a hook


def nested(command: str) -> str:
    return f"#!/bin/sh\n{command}\necho ended with $?\n"


def test_a_lockship_inside_a_hook_sees_the_same_lock(tmp_path: Path) -> None:
    """Whatever the hook commits and prepares: what is deployed is what was locked before."""
    script = nested(
        "echo two >app.txt && git commit -qam 'A hook commits' && lockship prepare\n"
        "lockship hook list --json; lockship secrets check --json; cd site 2>/dev/null"
    )
    repo = locked(tmp_path, pre_connect=script, deploy_failed=nested("lockship hook list"))
    version = the_lock(repo).service.version
    said = lockship(repo, "deploy", expect=1).stderr
    assert the_lock(repo).service.version != version, "prepare writes the lockfile, as ever"
    listed = json.loads(
        next(line for line in said.splitlines() if '"hooks"' in line).partition("connect: ")[2]
    )
    assert [row["name"] for row in listed["hooks"]] == ["pre-connect", "deploy-failed"]
    assert "deploy-failed: pre-connect" in said


def test_a_destinations_lock_is_seen_without_its_name(tmp_path: Path) -> None:
    """In a hook of a deploy to staging, a lockship that is told no destination means staging."""
    script = nested(
        'echo "to $LOCKSHIP_DESTINATION, ${LOCKSHIP_LOCKFILE##*/}"\n'
        "lockship hook list --json; lockship hook list -d staging --json\n"
        "lockship deploy -d staging"
    )
    repo = create(tmp_path / "shop")
    repo.write(f"{FOLDER}/pre-connect", script, executable=True)
    repo.write("lockship.staging.toml", '[env]\nWHERE = "staging"\n')
    repo.commit()
    prepare(repo.path, destination="staging")
    said = lockship(repo, "hook", "run", "pre-connect", "-d", "staging").stderr
    assert "pre-connect: to staging, .shiplock.staging\n" in said
    assert said.count('"name":"pre-connect"') == 2
    assert "This is the pre-connect hook of a deploy of shop.staging" in said


def test_another_repository_has_its_own_lock_inside_a_hook(tmp_path: Path) -> None:
    other = create(tmp_path / "other")
    prepare(other.path)
    repo = locked(tmp_path, pre_connect=nested(f"cd {other.path} && lockship hook list"))
    assert "there are no deploy hooks" in lockship(repo, "deploy", expect=1).stderr


@pytest.mark.parametrize("words", ["deploy", "deploy --wait", "rollback", "deploy -d staging"])
def test_no_deploy_begins_inside_one_of_the_same_lock(tmp_path: Path, words: str) -> None:
    """It would wait for a mutex that its own deploy holds, or fail and retry for ever."""
    repo = locked(tmp_path, deploy_failed=nested(f"lockship {words}"))
    said = lockship(repo, "deploy", expect=1).stderr
    if "staging" in words:
        assert "There is no .shiplock.staging here" in said
        return
    assert "This is the deploy-failed hook of a deploy of shop, by " in said
    assert "deploy-failed: ended with 3" in said


def test_what_is_left_of_a_hooks_environment_deploys_nothing(tmp_path: Path) -> None:
    repo = locked(tmp_path)
    left = {"LOCKSHIP_LOCKFILE": "/nowhere/.shiplock", "LOCKSHIP_FOLDER": str(repo.path)}
    said = lockship(repo, "deploy", expect=3, **left).stderr
    assert "the hook that it was for has ended" in said
    assert "unset LOCKSHIP_LOCKFILE" in said
    prepare(repo.path)
    copy = tmp_path / "copy"
    copy.write_bytes((repo.path / ".shiplock").read_bytes())
    said = lockship(repo, "deploy", expect=3, **left | {"LOCKSHIP_LOCKFILE": str(copy)}).stderr
    assert "no other one can begin inside it" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_ctrl_c_ends_a_hook(tmp_path: Path, number: signal.Signals) -> None:
    script = "#!/bin/sh\necho up\nsleep 600 & wait\n"
    repo = locked(tmp_path, pre_connect=script, deploy_failed=TOLD)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        lockship_command(["deploy"]),
        cwd=repo.path,
        env={**environment(), "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = ""
    while "pre-connect: up" not in said:
        said += process.stderr.readline()
    process.send_signal(number)
    said += process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert "| deploy-failed: deploy-failed of deploy: interrupted" in said
    assert said.endswith("interrupted\n")
    assert list(temporary.iterdir()) == []
    assert not [p for p in Path("/proc").glob("[0-9]*/environ") if of(temporary, p)]


def of(folder: Path, environ: Path) -> bool:
    """Whether a process has the environment of this test's deploy."""
    try:
        return f"TMPDIR={folder}".encode() in environ.read_bytes()
    except OSError:
        return False


def test_a_lock_without_hooks_needs_no_repository(tmp_path: Path) -> None:
    repo = locked(tmp_path)
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / ".shiplock").write_bytes((repo.path / ".shiplock").read_bytes())
    assert "nowhere.invalid" in lockship(Repo(alone), "deploy", expect=1).stderr
    assert [path.name for path in alone.iterdir()] == [".shiplock"]
