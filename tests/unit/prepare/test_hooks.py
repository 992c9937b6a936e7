"""Deploy hooks are locked by mode and blob, out of the tree that is locked, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockship.errors import UsageError
from lockship.lock.fingerprint import build_key, to_document
from lockship.lock.hooks import NAMES
from lockship.prepare.prepare import check, prepare
from tests.unit.gitrepo import CONFIG, Repo, create

FOLDER = ".lockship/hooks"
SCRIPT = "#!/bin/sh\necho hi\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return create(tmp_path / "shop")


def blob(repo: Repo, name: str) -> str:
    return repo.git("rev-parse", f"HEAD:{FOLDER}/{name}")


def refused(repo: Repo) -> UsageError:
    with pytest.raises(UsageError) as caught:
        prepare(repo.path)
    return caught.value


def test_mode_and_blob_are_locked(repo: Repo) -> None:
    before = prepare(repo.path).lock
    assert "hooks" not in to_document(before), "a repository without hooks says nothing of them"
    for name in ("post-deploy", "pre-build"):
        repo.write(f"{FOLDER}/{name}", SCRIPT + f"# {name}\n", executable=True)
    repo.write("lockship.toml", CONFIG + "\n[hooks]\ntimeout = 60\n")
    repo.commit("Run scripts")
    lock = prepare(repo.path).lock
    assert to_document(lock)["hooks"] == {
        "timeout": 60.0,
        "pre-build": f"100755 {blob(repo, 'pre-build')}",
        "post-deploy": f"100755 {blob(repo, 'post-deploy')}",
    }
    assert (
        f'pre-build = "100755 {blob(repo, "pre-build")}"' in (repo.path / ".shiplock").read_text()
    )


def test_a_limit_without_hooks_is_not_locked(repo: Repo) -> None:
    repo.write("lockship.toml", CONFIG + "\n[hooks]\ntimeout = 60\n")
    repo.commit()
    assert prepare(repo.path).lock.hooks is None


def test_a_limit_that_is_none(repo: Repo) -> None:
    repo.write("lockship.toml", CONFIG + '\n[hooks]\ntimeout = 0\npre-deploy = "./check"\n')
    repo.commit()
    assert [line.partition(": ")[2] for line in refused(repo).details] == [
        "hooks.pre-deploy: found an unknown key, expected one of timeout",
        "hooks.timeout: found 0, expected seconds, more than 0",
    ]


def test_what_is_built_does_not_depend_on_a_limit(repo: Repo) -> None:
    repo.write(f"{FOLDER}/pre-build", SCRIPT, executable=True)
    repo.commit()
    lock = prepare(repo.path).lock
    assert lock.hooks is not None
    from msgspec.structs import replace

    assert build_key(lock) == build_key(replace(lock, hooks=replace(lock.hooks, timeout=1.0)))


def test_the_working_tree_has_no_say(repo: Repo) -> None:
    path = repo.write(f"{FOLDER}/pre-deploy", SCRIPT, executable=True)
    repo.commit()
    lock = prepare(repo.path).lock
    path.write_text("#!/bin/sh\nexit 1\n")
    assert check(repo.path).lock.hooks != lock.hooks, "but a forced lock is of what is there"
    forced = prepare(repo.path, force=True).lock
    assert forced.hooks is not None
    assert forced.hooks.blobs["pre-deploy"] == repo.git("hash-object", str(path))


@pytest.mark.parametrize(
    ("text", "executable", "why", "mend"),
    [
        (SCRIPT, False, "isn't executable", f"git update-index --chmod=+x {FOLDER}/pre-deploy"),
        (SCRIPT, False, "isn't executable", f"chmod +x {FOLDER}/pre-deploy"),
        ("echo hi\n", True, "doesn't say what runs it", "#!/bin/sh"),
        ("", True, "doesn't say what runs it", "#!/bin/sh"),
        ("#!/bin/sh\r\necho hi\r\n", True, "has Windows line endings", "sed"),
        ("version https://git-lfs.github.com/spec/v1\n", True, "is a Git LFS pointer", "LFS"),
    ],
)
def test_what_can_not_run(repo: Repo, text: str, executable: bool, why: str, mend: str) -> None:
    repo.write(f"{FOLDER}/pre-deploy", text, executable=executable)
    repo.git("config", "core.autocrlf", "false")
    repo.commit()
    error = refused(repo)
    assert error.details == (f"{FOLDER}/pre-deploy {why}",)
    assert mend in error.hint


def test_a_symlink_a_folder_and_a_submodule(repo: Repo) -> None:
    hooks = repo.path / FOLDER
    (hooks / "pre-build").mkdir(parents=True)
    (hooks / "pre-build/part").write_text("x\n")
    (hooks / "pre-connect").symlink_to("/bin/true")
    repo.git("add", "--all")
    module = f"160000,{repo.head},{FOLDER}/post-deploy"
    repo.git("update-index", "--add", "--cacheinfo", module)
    repo.git("commit", "--quiet", "--message", "Odd hooks")
    (hooks / "post-deploy").mkdir()
    assert sorted(refused(repo).details) == [
        f"{FOLDER}/post-deploy is a submodule in git, not a script",
        f"{FOLDER}/pre-build is a folder in git, not a script",
        f"{FOLDER}/pre-connect is a symlink in git, not a script",
    ]


def test_the_folder_itself_is_a_symlink(repo: Repo) -> None:
    (repo.path / ".lockship").mkdir()
    (repo.path / FOLDER).symlink_to("/etc")
    repo.commit()
    assert refused(repo).message == f"{FOLDER} is a symlink in git."


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pre_deploy", "did you mean pre-deploy?"),
        ("post-deply", "did you mean post-deploy?"),
        ("pre-deploy.sh", "did you mean pre-deploy?"),
        ("pre-prepare", "prepare runs nothing of a repository"),
    ],
)
def test_a_name_that_is_nearly_one(repo: Repo, name: str, said: str) -> None:
    repo.write(f"{FOLDER}/{name}", SCRIPT, executable=True)
    repo.commit()
    assert said in refused(repo).details[0]


def test_other_files_are_said_not_to_run(repo: Repo) -> None:
    for name in ("README.md", ".gitkeep", "pre-deploy.sample", "lib\x1b.sh"):
        repo.write(f"{FOLDER}/{name}", SCRIPT)
    repo.commit()
    prepared = prepare(repo.path)
    assert prepared.lock.hooks is None
    assert [note for note in prepared.notes if "hook" in note] == [
        f"\"{FOLDER}/lib\\033.sh\" isn't a hook's name: it isn't locked, and nothing runs it."
    ]


def test_a_service_in_a_folder_has_the_roots_hooks_and_its_own(repo: Repo) -> None:
    for at in (FOLDER, f"services/api/{FOLDER}"):
        repo.write(f"{at}/pre-deploy", SCRIPT + f"# {at}\n", executable=True)
    repo.write(f"{FOLDER}/pre-build", SCRIPT, executable=True)
    repo.write(f"services/web/{FOLDER}/post-deploy", SCRIPT, executable=True)
    repo.write("services/api/lockship.toml", CONFIG.replace("shop", "api"))
    repo.commit()
    of_root, of_api = (prepare(repo.path / at).lock.hooks for at in (".", "services/api"))
    assert of_root is not None
    assert of_api is not None
    own = repo.git("rev-parse", f"HEAD:services/api/{FOLDER}/pre-deploy")
    assert of_root.blobs == {n: blob(repo, n) for n in ("pre-build", "pre-deploy")}
    assert of_api.blobs == {"pre-build": blob(repo, "pre-build"), "pre-deploy": own}
    (repo.path / f"services/api/{FOLDER}/pre-deploy").chmod(0o644)
    repo.commit("No script any more")
    with pytest.raises(UsageError) as caught:
        prepare(repo.path / "services/api")
    assert caught.value.details == (f"services/api/{FOLDER}/pre-deploy isn't executable",)


def test_prepare_runs_none_of_them(repo: Repo) -> None:
    for name in NAMES:
        repo.write(f"{FOLDER}/{name}", f"#!/bin/sh\ntouch {repo.path}/ran\n", executable=True)
    repo.commit()
    prepare(repo.path)
    check(repo.path)
    assert not (repo.path / "ran").exists()
