"""Building real images with the real BuildKit."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from lockship.build.client import find_client
from lockship.errors import LockshipError, RefusedError
from lockship.lock.fingerprint import build_key
from lockship.lock.model import Lock
from lockship.lock.role import Role
from lockship.lock.writer import dump
from tests.engine.build.conftest import Make, Recorder, make_lock
from tests.harness import Fleet, until
from tests.unit.locks import COMMITTED_AT, commit_all

CACHING = """\
FROM busybox:1.36 AS base
ARG GREETING=none
RUN --mount=type=cache,target=/cache echo "$GREETING" > /greeting
FROM base AS other
RUN false
FROM base AS wanted
COPY . /srv
"""


def run(fleet: Fleet, image: str, *argv: str) -> str:
    return fleet.engine.docker("run", "--rm", image, *argv)


def image_labels(fleet: Fleet, image: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(
        fleet.engine.docker("inspect", "--format", "{{json .Config.Labels}}", image)
    )
    return found


def test_the_image_is_the_locked_content_and_says_so(
    builder: Fleet, make: Make, repository: Path
) -> None:
    lock = make_lock(repository)
    (repository / "index.html").write_text("edited after prepare\n")
    (repository / "new.html").write_text("made after prepare\n")

    built = make(repository, lock)

    assert built.how == "built"
    assert built.artifact.key == build_key(lock)
    assert built.artifact.digest is None
    assert run(builder, lock.image.reference, "cat", "/srv/index.html") == "one\n"
    assert "new.html" not in run(builder, built.artifact.images[0].image_id, "ls", "/srv")
    assert image_labels(builder, lock.image.reference) == {
        "dev.lockship.build-key": build_key(lock),
        "dev.lockship.fingerprint": lock.fingerprint,
        "dev.lockship.service": "shop",
        "org.opencontainers.image.created": COMMITTED_AT,
        "org.opencontainers.image.revision": lock.source.commit,
        "org.opencontainers.image.version": lock.service.version,
    }


def test_context_dockerfile_target_args_and_dockerignore(
    builder: Fleet, make: Make, repository: Path
) -> None:
    folder = repository / "services/api"
    folder.mkdir(parents=True)
    (folder / "api.dockerfile").write_text(CACHING)
    (folder / ".dockerignore").write_text("*.md\n!kept.md\n")
    for name in ("README.md", "kept.md", "run.sh"):
        (folder / name).write_text(name)
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("run.sh")
    (folder / os.fsdecode(b"\xff odd\nname")).write_text("odd")
    commit_all(repository)
    lock = make_lock(
        repository,
        build={
            "context": "services/api",
            "dockerfile": "api.dockerfile",
            "target": "wanted",
            "args": {"GREETING": "--hello $HOME 'there'"},
        },
    )

    make(repository, lock)

    assert run(builder, lock.image.reference, "cat", "/greeting") == "--hello $HOME 'there'\n"
    listed = run(builder, lock.image.reference, "ls", "-A", "/srv").splitlines()
    assert "README.md" not in listed
    assert "index.html" not in listed
    assert {"kept.md", "run.sh", "link"} <= set(listed)
    run(builder, lock.image.reference, "test", "-x", "/srv/run.sh", "-a", "-L", "/srv/link")


def test_what_is_built_is_not_built_again(
    builder: Fleet, make: Make, repository: Path, report: Recorder
) -> None:
    lock = make_lock(repository)
    first = make(repository, lock)
    report.events.clear()

    again = make(repository, lock)

    assert (again.how, again.artifact) == ("found here", first.artifact)
    assert [event.kind for event in report.events] == ["note"]


def test_another_lock_of_the_same_content_finds_the_image(make: Make, repository: Path) -> None:
    first = make(repository, make_lock(repository))
    moved = make_lock(repository, roles={"web": Role(hosts=("local",), ports=("8080:80",))})

    assert make(repository, moved).how == "found here"
    assert make(repository, moved).artifact == first.artifact


def test_an_image_that_lost_its_tag_gets_it_back(
    builder: Fleet, make: Make, repository: Path
) -> None:
    lock = make_lock(repository)
    built = make(repository, lock)
    builder.engine.docker("tag", lock.image.reference, "other:name")
    builder.engine.docker("rmi", lock.image.reference)

    again = make(repository, replace(lock, artifact=built.artifact))

    assert again.how == "found here"
    run(builder, lock.image.reference, "true")


def test_the_image_that_the_lock_names_comes_before_the_tag_s(
    builder: Fleet, make: Make, repository: Path
) -> None:
    """The same content built a second time has another id; hosts may run the first one."""
    (repository / "Dockerfile").write_text("FROM busybox:1.36\nRUN date +%N > /when\n")
    commit_all(repository)
    lock = make_lock(repository)
    first = make(repository, lock)
    builder.engine.docker("tag", lock.image.reference, "kept:1")
    builder.engine.docker("rmi", lock.image.reference)
    builder.engine.docker("builder", "prune", "--all", "--force")
    second = make(repository, lock)
    assert second.artifact.images[0].image_id != first.artifact.images[0].image_id

    again = make(repository, replace(lock, artifact=first.artifact))

    assert again.artifact == first.artifact
    tagged = builder.engine.docker("inspect", "--format", "{{.Id}}", lock.image.reference)
    assert tagged.strip() == first.artifact.images[0].image_id


def test_a_tag_with_other_content_is_refused(builder: Fleet, make: Make, repository: Path) -> None:
    lock = make_lock(repository, service={"version": "v1"}, image={"tag": "v1"})
    first = make(repository, lock)
    (repository / "index.html").write_text("two\n")
    commit_all(repository)
    other = make_lock(repository, service={"version": "v1"}, image={"tag": "v1"})

    with pytest.raises(RefusedError, match="shop:v1 is taken here") as caught:
        make(repository, other)

    for value in (build_key(lock), build_key(other), lock.fingerprint, other.fingerprint):
        assert value in "\n".join(caught.value.details)
    assert "--version" in caught.value.hint
    tagged = builder.engine.docker("inspect", "--format", "{{.Id}}", "shop:v1").strip()
    assert tagged == first.artifact.images[0].image_id
    builder.engine.docker("tag", "busybox:1.36", "shop:v2")
    foreign = make_lock(repository, service={"version": "v2"}, image={"tag": "v2"})
    with pytest.raises(RefusedError, match="was not built by lockship"):
        make(repository, foreign)


def test_a_failing_step_s_output_is_what_remains(
    builder: Fleet, make: Make, repository: Path, report: Recorder
) -> None:
    (repository / "Dockerfile").write_text(
        "FROM busybox:1.36\nRUN true\nRUN echo about to; echo fail >&2; exit 7\nRUN never\n"
    )
    commit_all(repository)
    lock = make_lock(repository)

    with pytest.raises(LockshipError, match="can't be built") as caught:
        make(repository, lock)

    details = caught.value.details
    assert details[0].endswith("RUN echo about to; echo fail >&2; exit 7")
    assert set(details[1:3]) == {"about to", "fail"}
    assert "exit code: 7" in details[-1]
    assert any("about to" in line for line in report.lines())
    assert "shop" not in builder.engine.docker("images", "--format", "{{.Repository}}")
    (repository / "Dockerfile").write_text("FROM busybox:1.36\nRUM typo\n")
    commit_all(repository)
    with pytest.raises(LockshipError) as caught:
        make(repository, make_lock(repository))
    assert "unknown instruction: RUM" in caught.value.details[-1]


def test_a_dockerfile_that_leads_out_is_refused(make: Make, repository: Path) -> None:
    (repository / "Dockerfile").unlink()
    (repository / "Dockerfile").symlink_to("/etc/passwd")
    commit_all(repository)
    with pytest.raises(RefusedError, match="leads out"):
        make(repository, make_lock(repository))


def test_no_engine_says_what_to_start(
    make: Make, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    with pytest.raises(LockshipError, match="doesn't answer") as caught:
        make(repository, make_lock(repository))
    assert "DOCKER_HOST" in caught.value.hint


def test_no_client_with_buildkit_says_what_to_install(
    make: Make, repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to("/usr/bin/git")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(LockshipError, match="no docker on PATH"):
        make(repository, make_lock(repository))


def test_a_full_disk_for_the_cache_folder(
    make: Make, repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (repository / "big").write_bytes(os.urandom(3_000_000))
    commit_all(repository)
    lock = make_lock(repository)
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small], check=True)
    try:
        monkeypatch.setenv("XDG_CACHE_HOME", str(small))
        with pytest.raises(LockshipError) as caught:
            make(repository, lock)
        assert "can't be written" in caught.value.message
        assert "XDG_CACHE_HOME" in caught.value.hint
        subprocess.run(["mount", "-o", "remount,size=20m", small], check=True)
        assert make(repository, lock).how == "built"
    finally:
        subprocess.run(["umount", small], check=True)


PROGRAM = """\
import sys
from pathlib import Path
from lockship.build.image import build
from lockship.lock.reader import parse
lock = parse(sys.stdin.buffer.read(), "lock")
build(Path(sys.argv[1]), lock, report=lambda e: print(e.kind, e.step, flush=True), tty=False)
"""
SLOW = "FROM busybox:1.36\nCOPY . /srv\nRUN echo begun && sleep 20\n"


def start_build(repository: Path, lock: Lock) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(repository)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(dump(lock))
    process.stdin.close()
    process.stdin = None
    return process


def until_line(process: subprocess.Popen[bytes], part: bytes) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if part in line:
            return
    pytest.fail(f"{part!r} never came")


def clients() -> set[int]:
    """Ids of the docker clients that build."""
    found = set()
    for path in Path("/proc").iterdir():
        try:
            if path.name.isdigit() and b"--iidfile=" in (path / "cmdline").read_bytes():
                found.add(int(path.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_in_the_middle_then_again(
    builder: Fleet, make: Make, repository: Path, number: signal.Signals
) -> None:
    (repository / "Dockerfile").write_text(SLOW)
    commit_all(repository)
    lock = make_lock(repository)
    process = start_build(repository, lock)
    until_line(process, b" begun")
    mine = clients()
    assert mine

    process.send_signal(number)
    process.communicate()

    until(lambda: not mine & clients(), 15, "the docker client to end")
    assert lock.image.reference not in builder.engine.docker("images")
    (repository / "Dockerfile").write_text(SLOW.replace("sleep 20", "true"))
    commit_all(repository)
    assert make(repository, make_lock(repository)).how == "built"


def test_on_a_terminal_the_client_draws_and_the_failing_step_comes_last(
    builder: Fleet, repository: Path
) -> None:
    (repository / "Dockerfile").write_text("FROM busybox:1.36\nRUN echo oh no; exit 7\n")
    commit_all(repository)
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.replace("tty=False", "tty=True"), str(repository)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    said, _ = process.communicate(dump(make_lock(repository)))
    drawn = b""
    with contextlib.suppress(OSError):  # EIO: the other side is closed
        while chunk := os.read(ours, 65536):
            drawn += chunk
    os.close(ours)

    assert b"\x1b[" in drawn
    assert b"oh no" not in said
    assert drawn.rindex(b"oh no") < drawn.rindex(b"step shown above failed")
    assert process.returncode == 1


def test_the_client_found_here_has_buildkit_inside(builder: Fleet) -> None:
    found = find_client(os.environ)
    assert Path(found.path).name == "docker"
