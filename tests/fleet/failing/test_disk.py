"""Disks that are full, folders that can't be written, files that are damaged."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fleet.failing.service import Service
from tests.harness import Fleet, TestHost
from tests.harness.cli import lockship_command

RUN_FOLDER = "/root/.lockship"


def test_no_space_for_the_image(tmp_path: Path) -> None:
    with Fleet.start(["web1", "small"], disk={"small": "150M"}, registry=False) as fleet:
        small = fleet["small"]
        service = Service.create(fleet, tmp_path / "f", "web1", "small")
        before = service.world()
        (service.shop.folder / "site/big").write_bytes(os.urandom(20 << 20))
        version = service.change("with something big")
        service.lockship("build")
        small.fill_disk(leave=4 << 20)
        said = service.deploy(expect=1)
        assert "The deploy failed before the switch" in said
        assert "small: load image: no space left on the host's disk" in said
        assert "ssh small docker system df" in said
        service.nothing_left(before, "first")
        assert service.outcomes("small", version) == ["failed"]
        small.empty_disk()
        service.mended("with something big")


def test_no_space_in_the_run_folder(beside: Service) -> None:
    old, before = beside.body("web1"), beside.world()
    version = beside.change("after a full run folder")
    with mounted(beside.host("web2"), "rw"):
        beside.host("web2").run("sh", "-c", f"head -c 1M /dev/zero >{RUN_FOLDER}/filler || true")
        said = beside.deploy(expect=1)
        assert "The mutex can't be taken on every host; nothing was changed." in said
        assert "web2: the mutex can't be made at .lockship/shop/mutex" in said
        assert "the disk must have space" in said
        beside.host("web2").run("rm", f"{RUN_FOLDER}/filler")
        beside.nothing_left(before, old)
        beside.deploy()
    beside.settled("after a full run folder")
    assert beside.outcomes("web1", version) == ["deployed"]


def test_no_space_for_the_lock(beside: Service) -> None:
    old, before = beside.body("web1"), beside.world()
    version = beside.change("after a full disk")
    locks, web2 = f"{RUN_FOLDER}/shop/locks", beside.host("web2")
    web2.run("mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", locks)
    try:
        web2.run("sh", "-c", f"head -c 1M /dev/zero >{locks}/filler || true")
        said = beside.deploy(expect=1)
    finally:
        web2.run("umount", locks)
    assert "The deploy failed before the switch" in said
    assert "web2: write .lockship/shop/locks/" in said
    assert "ssh web2 df -h" in said
    beside.nothing_left(before, old)
    assert beside.outcomes("web2", version) == ["failed"]
    beside.mended("after a full disk")


def test_run_folder_can_not_be_written(beside: Service) -> None:
    old, before = beside.body("web1"), beside.world()
    version = beside.change("after a run folder that can't be written")
    with mounted(beside.host("web2"), "ro"):
        said = beside.deploy(expect=1)
        assert "The mutex can't be taken on every host; nothing was changed." in said
        assert "web2: the mutex can't be made at .lockship/shop/mutex" in said
        assert "Read-only file system" in said
        assert "the login user must be able to write there" in said
    beside.nothing_left(before, old)
    assert beside.outcomes("web1", version) == []
    beside.mended("after a run folder that can't be written")


@contextmanager
def mounted(host: TestHost, options: str) -> Iterator[None]:
    """Let the run folder be on a disk of its own, with what is in it now; its changes stay."""
    host.run("mkdir", "/mnt/disk")
    host.run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", "/mnt/disk")
    host.run("cp", "-a", f"{RUN_FOLDER}/.", "/mnt/disk")
    host.run("mount", "--bind", "/mnt/disk", RUN_FOLDER)
    try:
        if options == "ro":
            host.run("mount", "-o", "remount,bind,ro", RUN_FOLDER)
        yield
    finally:
        host.run("umount", RUN_FOLDER)
        host.run("cp", "-a", "/mnt/disk/.", RUN_FOLDER)
        host.run("umount", "/mnt/disk")
        host.run("rmdir", "/mnt/disk")


def test_no_space_in_the_cache_folder_here(beside: Service) -> None:
    old, before = beside.body("web1"), beside.world()
    version = beside.change("after a full cache folder")
    cache = beside.shop.folder.parent / "cache"
    cache.mkdir(exist_ok=True)
    done = on_small_disk(beside, "XDG_CACHE_HOME", "16k")
    assert done.returncode == 1, done.stderr
    assert "No space left on device" in done.stderr
    assert "XDG_CACHE_HOME" in done.stderr
    beside.nothing_left(before, old)
    assert beside.outcomes("web1", version) == []
    beside.mended("after a full cache folder")


def test_no_space_for_temporary_files_here(beside: Service) -> None:
    old, before = beside.body("web1"), beside.world()
    (beside.shop.folder / "site/some").write_bytes(os.urandom(1 << 20))
    version = beside.change("after a full /tmp")
    beside.lockship("build")
    done = on_small_disk(beside, "TMPDIR", "64k")
    assert done.returncode == 1, done.stderr
    assert "No space left on device" in done.stderr
    assert "TMPDIR" in done.stderr
    beside.nothing_left(before, old)
    assert beside.outcomes("web1", version) == ["failed"]
    (beside.shop.folder / "site/some").unlink()
    beside.mended("after a full /tmp")


def on_small_disk(service: Service, variable: str, size: str) -> "subprocess.CompletedProcess[str]":
    """Run `lockship deploy` with a folder of its environment on a small disk that only it sees."""
    folder = service.shop.folder.parent / "small"
    folder.mkdir(exist_ok=True)
    script = 'mount -t tmpfs -o "size=$1" tmpfs "$2" && shift 2 && exec "$@"'
    alone = ["unshare", "--mount", "sh", "-c", script, "sh", size, str(folder)]
    return subprocess.run(
        [*alone, *lockship_command(["deploy"])],
        cwd=service.shop.folder,
        env=service.env() | {variable: str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_damaged_list_of_releases(beside: Service) -> None:
    (beside.run_folder("web1") / "releases.json").write_text('[{"version": ')
    beside.change("after damaged releases")
    beside.mended("after damaged releases")
    assert len(beside.releases("web1")) == 1
    assert len(beside.releases("web2")) > 1


def test_journal_whose_last_line_was_cut_short(beside: Service) -> None:
    """As a full disk leaves it: the line that comes next is one of its own."""
    journal = beside.run_folder("web1") / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"at":"2026-')
    version = beside.change("after a line that was cut short")
    beside.deploy()
    beside.serves("after a line that was cut short")
    *_, cut, last = journal.read_bytes().splitlines()
    assert cut == b'{"at":"2026-'
    assert json.loads(last)["version"] == version
    journal.unlink()
