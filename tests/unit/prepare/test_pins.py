"""Host keys come from the lock before, else from the person's known_hosts by ssh's own answer."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lockship.errors import RefusedError, UsageError
from lockship.lock.model import Lock
from lockship.prepare.prepare import check, prepare
from tests.unit.gitrepo import Repo, create

CONFIG = '[service]\nname = "shop"\n\n[roles.web]\nhosts = [{}]\n'


def with_hosts(path: Path, *hosts: str) -> Repo:
    return create(path / "shop", config=CONFIG.format(", ".join(f'"{host}"' for host in hosts)))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("one", "two"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True
        )
    one, two = (" ".join((folder / f"{n}.pub").read_text().split()[:2]) for n in ("one", "two"))
    return one, two


@pytest.fixture
def ssh(tmp_path: Path) -> Path:
    """The person's ~/.ssh, with a configuration that says where known_hosts is."""
    folder = Path(os.environ["HOME"]) / ".ssh"
    folder.mkdir(mode=0o700)
    (folder / "config").write_text("")
    return folder


def pinned(lock: Lock, name: str) -> tuple[str, ...]:
    return lock.hosts[name].keys


def test_from_known_hosts(tmp_path: Path, ssh: Path, keys: tuple[str, str]) -> None:
    (ssh / "known_hosts").write_text(f"web1.example.com {keys[0]}\n[web2]:2222 {keys[1]}\n")
    repo = with_hosts(tmp_path, "local", "deploy@web1.example.com", "web2:2222")
    lock = prepare(repo.path).lock
    assert list(lock.hosts) == ["local", "web1.example.com", "web2"]
    assert pinned(lock, "local") == ()
    assert lock.hosts["web1.example.com"].user == "deploy"
    assert pinned(lock, "web1.example.com") == (keys[0],)
    assert lock.hosts["web2"].port == 2222
    assert pinned(lock, "web2") == (keys[1],)


def test_through_the_ssh_configuration(tmp_path: Path, ssh: Path, keys: tuple[str, str]) -> None:
    other = tmp_path / "other_known_hosts"
    (ssh / "config").write_text(
        "Host front\n  HostName 198.51.100.7\n  Port 2200\n"
        "Host behind\n  HostKeyAlias vault\n  Port 2201\n"
        f"Host far\n  UserKnownHostsFile {other}\n"
    )
    (ssh / "known_hosts").write_text(f"[198.51.100.7]:2200 {keys[0]}\nvault {keys[1]}\n")
    other.write_text(f"far {keys[0]}\n")
    lock = prepare(with_hosts(tmp_path, "front", "behind", "far").path).lock
    assert pinned(lock, "front") == (keys[0],)
    assert pinned(lock, "behind") == (keys[1],)
    assert pinned(lock, "far") == (keys[0],)
    assert lock.hosts["front"].port is None  # what the configuration of ssh says stays there


def test_unknown_hosts_are_refused_all_at_once(
    tmp_path: Path, ssh: Path, keys: tuple[str, str]
) -> None:
    (ssh / "known_hosts").write_text(f"web2 {keys[0]}\nweb3 {keys[1]}\n@revoked web3 {keys[1]}\n")
    repo = with_hosts(tmp_path, "deploy@web1:2222", "web2", "web3")
    with pytest.raises(RefusedError, match="web1, web3") as caught:
        prepare(repo.path)
    assert caught.value.details == (
        "web1: ssh -p 2222 deploy@web1 true",
        "web3 (revoked in known_hosts): ssh web3 true",
    )
    assert not (repo.path / ".shiplock").exists()
    assert check(repo.path).differences


def test_a_pin_survives_what_known_hosts_says_later(
    tmp_path: Path, ssh: Path, keys: tuple[str, str]
) -> None:
    known = ssh / "known_hosts"
    known.write_text(f"web1 {keys[0]}\n")
    repo = with_hosts(tmp_path, "web1")
    prepare(repo.path)
    known.write_text(f"web1 {keys[1]}\n")
    assert not prepare(repo.path).changed
    assert not check(repo.path).differences
    known.unlink()
    assert not prepare(repo.path).changed


@pytest.mark.parametrize("name", ["*", "web1"])
def test_upgrade_looks_it_up_again(
    tmp_path: Path, ssh: Path, keys: tuple[str, str], name: str
) -> None:
    known = ssh / "known_hosts"
    known.write_text(f"web1 {keys[0]}\nweb2 {keys[0]}\n")
    repo = with_hosts(tmp_path, "web1", "web2")
    prepare(repo.path)
    again = prepare(repo.path, upgrade=name)
    assert not again.upgraded
    assert again.notes == ("The pins were looked up again and are as they were.",)
    known.write_text(f"web1 {keys[1]}\nweb2 {keys[1]}\n")
    prepared = prepare(repo.path, upgrade=name)
    assert prepared.upgraded[0].name == "web1"
    assert (prepared.upgraded[0].before, prepared.upgraded[0].after) == ((keys[0],), (keys[1],))
    assert [each.name for each in prepared.upgraded] == (
        ["web1", "web2"] if name == "*" else [name]
    )
    assert pinned(prepared.lock, "web1") == (keys[1],)


def test_upgrade_of_what_is_not_pinned(repo: Repo) -> None:
    with pytest.raises(UsageError, match="no pin called 'web9'"):
        prepare(repo.path, upgrade="web9")


def test_another_port_is_another_host(tmp_path: Path, ssh: Path, keys: tuple[str, str]) -> None:
    (ssh / "known_hosts").write_text(f"web1 {keys[0]}\n[web1]:2222 {keys[1]}\n")
    repo = with_hosts(tmp_path, "web1")
    prepare(repo.path)
    repo.write("lockship.toml", CONFIG.format('"web1:2222"'))
    repo.commit("port")
    assert pinned(prepare(repo.path).lock, "web1") == (keys[1],)


def test_keys_of_a_damaged_lock_do_not_count(
    tmp_path: Path, ssh: Path, keys: tuple[str, str]
) -> None:
    (ssh / "known_hosts").write_text(f"web1 {keys[0]}\n")
    repo = with_hosts(tmp_path, "web1")
    path = prepare(repo.path).path
    path.write_text(path.read_text().replace(keys[0], keys[1]))
    assert pinned(prepare(repo.path).lock, "web1") == (keys[0],)


def test_a_host_that_goes_leaves_the_lock(tmp_path: Path, ssh: Path, keys: tuple[str, str]) -> None:
    (ssh / "known_hosts").write_text(f"web1 {keys[0]}\n")
    repo = with_hosts(tmp_path, "web1", "local")
    prepare(repo.path)
    repo.write("lockship.toml", CONFIG.format('"local"'))
    repo.commit("gone")
    assert list(prepare(repo.path).lock.hosts) == ["local"]
