"""A host that can't be reached: nothing is begun anywhere, and it is named."""

import subprocess

from tests.fleet.failing.service import CONNECT_TIMEOUT, Service
from tests.harness.shell import sh


def test_host_down(beside: Service) -> None:
    old, before = beside.body("web1"), beside.world()
    version = beside.change("after a host was down")
    beside.host("web2").stop_sshd()
    said = beside.deploy(expect=1)
    assert "1 host can't be reached; nothing was changed." in said
    assert "web2: can't connect: Connection refused" in said
    assert "ssh web2 true" in said
    beside.nothing_left(before, old)
    assert beside.outcomes("web1", version) == []
    beside.host("web2").start_sshd()
    beside.mended("after a host was down")


def test_host_accepts_and_freezes(beside: Service) -> None:
    old, before = beside.body("web1"), beside.world()
    beside.change("after a host was frozen")
    beside.host("web2").freeze_sshd()
    done = beside.lockship("deploy", expect=1, timeout=CONNECT_TIMEOUT + 60)
    assert f"web2: no answer to ssh within {CONNECT_TIMEOUT} s" in done.stderr
    assert "see whether the host is alive" in done.stderr
    beside.host("web2").thaw_sshd()
    beside.nothing_left(before, old)
    beside.mended("after a host was frozen")


def test_wrong_login_key(beside: Service) -> None:
    old, before = beside.body("web1"), beside.world()
    beside.change("after a wrong key")
    key = beside.fleet.home.key
    right = key.read_text()
    key.unlink()
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key.with_name("other")))
    key.with_name("other").rename(key)
    try:
        said = beside.deploy(expect=1)
    finally:
        key.write_text(right)
    for host in beside.hosts:
        assert f"{host}: login refused: no key of yours is accepted" in said
    assert "ssh -v web1 true" in said
    beside.nothing_left(before, old)
    beside.mended("after a wrong key")


def test_unknown_host_key_is_not_locked(beside: Service) -> None:
    """Without a key in known_hosts there is nothing to pin: `prepare` says no, so does `deploy`."""
    old, before = beside.body("web1"), beside.world()
    locked = beside.lockfile.read_bytes()
    beside.edit("after an unknown key")
    known = beside.fleet.home.known_hosts
    lines = known.read_text().splitlines(keepends=True)
    web2 = beside.host("web2").address
    known.write_text("".join(line for line in lines if not line.startswith(f"{web2} ")))
    said = beside.lockship("prepare", "--upgrade", "web2", expect=3).stderr
    assert "web2" in said
    assert beside.lockfile.read_bytes() == locked
    beside.fleet.write_home()
    beside.lockship("prepare", "--upgrade", "web2")
    beside.nothing_left(before, old)
    beside.mended("after an unknown key")


def test_changed_host_key(beside: Service) -> None:
    old, before = beside.body("web1"), beside.world()
    beside.change("after a changed key")
    earlier = fingerprints(beside.host("web2").host_keys)
    beside.host("web2").rotate_host_key()
    said = beside.deploy(expect=1)
    assert "web2: host key changed: the lock expects" in said
    assert any(each in said for each in earlier)
    assert any(each in said for each in fingerprints(beside.host("web2").host_keys))
    assert "lockship prepare --upgrade web2" in said
    beside.nothing_left(before, old)
    beside.fleet.write_home()
    beside.lockship("prepare", "--upgrade", "web2")
    beside.mended("after a changed key")


def test_host_without_docker(beside: Service) -> None:
    old, before = beside.body("web1"), beside.world()
    with beside.fleet.extra_host("bare", docker=False):
        beside.change("after no Docker", hosts='"web1", "bare"')
        said = beside.deploy(expect=1)
    assert "nothing was changed" in said
    assert "bare: there is no docker command" in said
    assert "install Docker on the host" in said
    beside.nothing_left(before, old)
    beside.change("after no Docker")
    beside.mended("after no Docker")


def fingerprints(keys: list[str]) -> list[str]:
    """As ssh-keygen shows them."""
    listed = subprocess.run(
        ["ssh-keygen", "-l", "-f", "-"], input="\n".join(keys), text=True, capture_output=True
    )
    return [line.split()[1] for line in listed.stdout.splitlines()]
