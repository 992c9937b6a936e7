"""The build folder, with real git: it holds the locked bytes and nothing else, cheaply."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lockship.build.clone import open_clone
from lockship.build.folder import folder_of
from lockship.errors import LockshipError, RefusedError
from lockship.lock.model import Lock
from lockship.lock.version import snapshot_ref
from lockship.lock.writer import dump
from tests.harness import until
from tests.unit.build.conftest import Bring
from tests.unit.locks import commit_all, git, make_lock


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_it_holds_the_locked_commit_and_not_the_working_directory(
    bring: Bring, repository: Path
) -> None:
    lock = make_lock(repository)
    (repository / "index.html").write_text("edited\n")
    (repository / "untracked").write_text("not locked\n")
    git(repository, "add", "--all")
    commit_all(repository)

    files = bring(repository, lock)

    assert names(files) == {"Dockerfile", "index.html"}
    assert (files / "index.html").read_text() == "one\n"


def test_only_changed_files_are_written(bring: Bring, repository: Path) -> None:
    (repository / "same").write_text("same\n")
    commit_all(repository)
    files = bring(repository, make_lock(repository))
    before = {name: (files / name).stat() for name in ("same", "index.html")}
    (repository / "index.html").write_text("two\n")
    (repository / "Dockerfile").unlink()
    commit_all(repository)

    bring(repository, make_lock(repository))

    after = (files / "same").stat()
    assert (after.st_ino, after.st_mtime_ns) == (
        before["same"].st_ino,
        before["same"].st_mtime_ns,
    )
    assert (files / "index.html").read_text() == "two\n"
    assert names(files) == {"same", "index.html"}


def test_what_somebody_did_to_the_folder_is_undone(bring: Bring, repository: Path) -> None:
    (repository / ".gitignore").write_text("*.log\n")
    commit_all(repository)
    lock = make_lock(repository)
    files = bring(repository, lock)
    (files / "index.html").write_text("changed\n")
    (files / "Dockerfile").unlink()
    (files / "Dockerfile").symlink_to("/etc/passwd")
    (files / "ignored.log").write_text("left behind\n")
    (files / "nested/.git").mkdir(parents=True)

    bring(repository, lock)

    assert names(files) == {".gitignore", "Dockerfile", "index.html"}
    assert (files / "index.html").read_text() == "one\n"
    assert not (files / "Dockerfile").is_symlink()


def test_kinds_of_files_and_odd_names(bring: Bring, repository: Path) -> None:
    (repository / "run").write_text("#!/bin/sh\n")
    (repository / "run").chmod(0o755)
    (repository / "link").symlink_to("index.html")
    (repository / "broken").symlink_to("/nowhere/at/all")
    odd = [b"new\nline", b"\xff\xfe", b' "quoted"\t', b"-rf", "grüße".encode(), b":(top)"]
    for name in odd:
        (repository / os.fsdecode(name)).write_bytes(name)
    commit_all(repository)
    old_umask = os.umask(0o077)
    try:
        files = bring(repository, make_lock(repository))
    finally:
        os.umask(old_umask)

    assert stat.S_IMODE((files / "run").stat().st_mode) == 0o755
    assert stat.S_IMODE((files / "index.html").stat().st_mode) == 0o644
    assert (files / "link").readlink() == Path("index.html")
    assert (files / "broken").readlink() == Path("/nowhere/at/all")
    for name in odd:
        assert (files / os.fsdecode(name)).read_bytes() == name
    assert stat.S_IMODE(files.parent.stat().st_mode) == 0o700


def test_lockfiles_are_left_out_and_the_tree_is_compared(bring: Bring, repository: Path) -> None:
    without = make_lock(repository).source.tree
    (repository / ".shiplock").write_text("a lock\n")
    (repository / "sub").mkdir()
    (repository / "sub/.shiplock.staging").write_text("another\n")
    commit_all(repository)
    lock = make_lock(repository, source={"tree": without})

    files = bring(repository, lock)

    assert names(files) == {"Dockerfile", "index.html"}
    with pytest.raises(RefusedError, match="is not that of its commit"):
        bring(repository, make_lock(repository, source={"tree": "3" * 40}))


def test_a_symlink_or_folder_named_as_a_lockfile_is_content(bring: Bring, repository: Path) -> None:
    (repository / ".shiplock").symlink_to("index.html")
    (repository / "sub/.shiplock.d").mkdir(parents=True)
    (repository / "sub/.shiplock.d/file").write_text("content\n")
    commit_all(repository)
    tree = git(repository, "rev-parse", "HEAD^{tree}")

    files = bring(repository, make_lock(repository, source={"tree": tree}))

    assert (files / ".shiplock").is_symlink()
    assert (files / "sub/.shiplock.d/file").exists()


def test_bytes_are_raw_whatever_attributes_and_configuration_say(
    bring: Bring, repository: Path
) -> None:
    git(repository, "config", "core.autocrlf", "false")
    (repository / "unix").write_bytes(b"a\nb\n")
    (repository / "dos").write_bytes(b"a\r\nb\r\n")
    (repository / "ident").write_bytes(b"$Id$\n")
    (repository / "wide").write_bytes("grüße\n".encode())
    commit_all(repository)
    (repository / ".gitattributes").write_text(
        "unix eol=crlf\nident ident\nwide working-tree-encoding=UTF-16 text\n"
    )
    git(repository, "add", ".gitattributes")
    git(repository, "commit", "-qm", "attributes")
    for name, value in (("core.autocrlf", "true"), ("core.eol", "crlf")):
        git(repository, "config", "--global", name, value)

    files = bring(repository, make_lock(repository))

    assert (files / "unix").read_bytes() == b"a\nb\n"
    assert (files / "dos").read_bytes() == b"a\r\nb\r\n"
    assert (files / "ident").read_bytes() == b"$Id$\n"
    assert (files / "wide").read_bytes() == "grüße\n".encode()


def test_another_filter_is_refused_by_name(bring: Bring, repository: Path) -> None:
    (repository / ".gitattributes").write_text("secret* filter=git-crypt diff=git-crypt\n")
    (repository / "secret.env").write_text("x\n")
    commit_all(repository)

    with pytest.raises(RefusedError, match=r"'secret.env' .*'git-crypt'"):
        bring(repository, make_lock(repository))


def test_hooks_and_an_outer_git_have_no_say(
    bring: Bring, repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hook = repository / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    lock = make_lock(repository)
    other = tmp_path / "other"
    git(tmp_path, "init", "--quiet", str(other))
    for name, value in {
        "GIT_DIR": str(other / ".git"),
        "GIT_INDEX_FILE": str(repository / ".git/index"),
        "GIT_WORK_TREE": str(other),
        "GIT_OBJECT_DIRECTORY": str(other / ".git/objects"),
    }.items():
        monkeypatch.setenv(name, value)
    index = (repository / ".git/index").read_bytes()

    files = bring(repository, lock)

    assert names(files) == {"Dockerfile", "index.html"}
    assert not (tmp_path / "ran").exists()
    assert not (other / "index.html").exists()
    assert (repository / ".git/index").read_bytes() == index


def test_nothing_is_written_to_the_repository(bring: Bring, repository: Path) -> None:
    (repository / ".shiplock").write_text("a lock\n")
    commit_all(repository)
    lock = make_lock(repository)
    before = {p: p.read_bytes() for p in repository.rglob("*") if p.is_file()}

    bring(repository, lock)

    assert {p: p.read_bytes() for p in repository.rglob("*") if p.is_file()} == before


def test_a_commit_that_is_not_here_names_the_fetch(bring: Bring, repository: Path) -> None:
    lock = make_lock(repository, source={"commit": "4" * 40})
    with pytest.raises(RefusedError) as caught:
        bring(repository, lock)
    assert f"git fetch origin {'4' * 40}" in caught.value.hint

    forced = make_lock(
        repository,
        source={"snapshot": "5" * 40, "dirty": True, "release": True},
        service={"name": "shop", "version": "v1.2"},
    )
    with pytest.raises(RefusedError) as caught:
        bring(repository, forced)
    ref = snapshot_ref(forced.source.commit, forced.source.tree)  # not by the release's name
    assert f"git fetch origin {ref}:{ref}" in caught.value.hint


def test_replace_refs_change_nothing(bring: Bring, repository: Path) -> None:
    lock = make_lock(repository)
    blob = git(repository, "rev-parse", "HEAD:index.html")
    other = git(repository, "hash-object", "-w", "--stdin", stdin=b"replaced\n")
    git(repository, "replace", blob, other)

    assert (bring(repository, lock) / "index.html").read_text() == "one\n"


def test_a_clone_with_borrowed_objects_and_a_linked_worktree(
    bring: Bring, repository: Path, tmp_path: Path
) -> None:
    odd = tmp_path / 'a "quoted" \\ folder'
    git(tmp_path, "clone", "--quiet", "--shared", str(repository), str(odd))
    again = tmp_path / "again"
    git(tmp_path, "clone", "--quiet", "--shared", str(odd), str(again))
    linked = tmp_path / "linked"
    git(repository, "worktree", "add", "--quiet", "--detach", str(linked))
    lock = make_lock(repository)

    assert (bring(again, lock) / "index.html").read_text() == "one\n"
    assert bring(linked, lock) == bring(repository, lock)


def test_a_partial_clone_fetches_what_it_lacks_at_once(
    bring: Bring, repository: Path, tmp_path: Path
) -> None:
    (repository / "sub").mkdir()
    for number in range(20):
        (repository / f"sub/{number}").write_text(f"{number}\n")
    commit_all(repository)
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    lock = make_lock(repository)
    for kind in ("blob:none", "tree:0"):
        partial = tmp_path / kind.replace(":", "-")
        url = f"file://{repository}"
        git(tmp_path, "clone", "-q", "--no-checkout", f"--filter={kind}", url, str(partial))

        files = bring(partial, lock)

        assert (files / "sub/7").read_text() == "7\n"


@pytest.mark.parametrize("hurt", ["index", "objects", "files", "lock", "memory", "config"])
def test_a_damaged_folder_is_mended(bring: Bring, repository: Path, hurt: str) -> None:
    (repository / ".shiplock").write_text("a lock, so that a tree of the store's own is needed\n")
    commit_all(repository)
    lock = make_lock(repository)
    files = bring(repository, lock)
    git_dir = files.parent / "git"
    match hurt:
        case "index":
            (git_dir / "index").write_bytes(b"DIRC but then nothing")
        case "objects":
            for path in (git_dir / "objects").glob("??/*"):
                path.chmod(0o644)
                path.write_bytes(b"")
        case "files":
            shutil.rmtree(files)
        case "lock":
            (git_dir / "index.lock").write_bytes(b"")
        case "memory":
            (files.parent / "memory.json").write_text('{"scanned": 7')
        case "config":
            (git_dir / "config").write_text("[core\n")

    bring(repository, lock)

    assert names(files) == {"Dockerfile", "index.html"}


def test_a_tree_with_a_git_folder_in_it_writes_nothing_outside(
    bring: Bring, repository: Path
) -> None:
    blob = git(repository, "hash-object", "-w", "--stdin", stdin=b"[core]\n\tfsmonitor = evil\n")
    inner = git(repository, "mktree", stdin=f"100644 blob {blob}\tconfig\n".encode())
    outer = git(repository, "mktree", stdin=f"040000 tree {inner}\t.git\n".encode())
    commit = git(repository, "commit-tree", outer, "-m", "evil")
    git(repository, "reset", "--quiet", "--soft", commit)

    with pytest.raises(RefusedError, match="git refuses to write") as caught:
        bring(repository, make_lock(repository, source={"tree": outer}))
    assert ".git/config" in caught.value.details[0]


def test_a_cache_folder_that_can_not_be_made_is_named(
    bring: Bring, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/cache")
    with pytest.raises(LockshipError, match="can't be written: Not a directory"):
        bring(repository, make_lock(repository))


def test_a_fetch_that_fails_leaves_the_folder_as_it_was(
    bring: Bring, repository: Path, tmp_path: Path
) -> None:
    git(repository, "config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{repository}", str(partial))
    files = bring(partial, make_lock(partial))
    before = (files / "index.html").stat().st_ino
    (repository / "new").write_text("new\n")
    commit_all(repository)
    git(partial, "fetch", "--quiet")
    git(partial, "reset", "--quiet", "--soft", "origin/HEAD")
    lock = make_lock(partial)
    repository.rename(tmp_path / "away")

    with pytest.raises(LockshipError, match="git fetch"):
        bring(partial, lock)

    assert (files / "index.html").stat().st_ino == before


def test_a_file_behind_a_symlink_of_the_same_tree_stays_inside(
    bring: Bring, repository: Path, tmp_path: Path
) -> None:
    """A folder that was a symlink to the outside in the commit before."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (repository / "data").symlink_to(outside)
    commit_all(repository)
    files = bring(repository, make_lock(repository))
    assert (files / "data").is_symlink()
    (repository / "data").unlink()
    (repository / "data").mkdir()
    (repository / "data/file").write_text("inside\n")
    commit_all(repository)

    bring(repository, make_lock(repository))

    assert list(outside.iterdir()) == []
    assert (files / "data/file").read_text() == "inside\n"


PROGRAM = """\
import sys
from pathlib import Path
from lockship.build.folder import locked_tree
from lockship.lock.reader import parse
lock = parse(sys.stdin.buffer.read(), "lock")
with locked_tree(Path(sys.argv[1]), lock, lambda event: print(event.step, flush=True)):
    print("mine", flush=True)
"""


def start_bringing(repository: Path, lock: Lock) -> subprocess.Popen[bytes]:
    """Bring the lock's tree in a process of its own, whose stdout says what is reported."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(repository)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(dump(lock))
    process.stdin.close()
    process.stdin = None
    return process


def test_two_builds_of_one_repository_take_turns(bring: Bring, repository: Path) -> None:
    lock = make_lock(repository)
    files = bring(repository, lock)
    holder = subprocess.Popen(
        ["flock", str(files.parent / "lock"), "sh", "-c", "echo held; read line"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    waiter = start_bringing(repository, lock)
    assert waiter.stdout is not None
    assert waiter.stdout.readline() == b"waiting for another build of this repository\n"
    holder.communicate(b"done\n")
    said, _ = waiter.communicate()
    assert said.endswith(b"mine\n")
    assert waiter.returncode == 0


def test_killed_while_files_are_written(bring: Bring, repository: Path) -> None:
    for number in range(3000):
        (repository / f"{number:04}").write_text(f"{number}\n")
    commit_all(repository)
    lock = make_lock(repository)
    files = folder_of(open_clone(repository)) / "tree"
    process = start_bringing(repository, lock)
    until(lambda: files.is_dir() and len(list(files.iterdir())) > 20, 20, "the first files")

    process.kill()
    process.communicate()
    (repository / "0007").write_text("changed\n")
    commit_all(repository)
    bring(repository, make_lock(repository))

    tracked = git(repository, "ls-files").split()
    assert names(files) == set(tracked)
    assert all((files / name).read_bytes() == (repository / name).read_bytes() for name in tracked)


def test_the_folder_is_named_after_the_repository(repository: Path) -> None:
    base = folder_of(open_clone(repository))
    assert base.parent == Path(os.environ["XDG_CACHE_HOME"]) / "lockship/build"
    assert base.name.startswith("shop-")
