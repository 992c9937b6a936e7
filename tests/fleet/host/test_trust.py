"""Host keys without known_hosts: pinned once, trusted by fingerprint or by an authority."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lockship.prepare.knownhosts import fingerprint
from tests.fleet.shop import Shop, config
from tests.harness import Fleet
from tests.harness.cli import lockship_command
from tests.harness.hosts import TestHost
from tests.harness.shell import sh
from tests.unit.cli.terminal import on_terminal


@pytest.fixture
def shop(clean_fleet: Fleet, tmp_path: Path) -> Shop:
    shop = Shop.create(clean_fleet, tmp_path / "shop", config(hosts=("web1", "web2")))
    shop.write("Dockerfile", "FROM scratch\nCOPY site /\n")
    shop.commit("Nothing from elsewhere")
    return shop


def prints(host: TestHost) -> list[str]:
    return sorted(fingerprint(key) for key in host.host_keys)


def test_the_lock_alone_says_who_is_who(shop: Shop, tmp_path: Path) -> None:
    """CI needs no known_hosts; a changed key stops everything until a person trusts it."""
    fleet, web1 = shop.fleet, shop.fleet["web1"]
    known = fleet.home.known_hosts
    known.unlink()
    # First of all there is nobody to believe.
    unknown = shop.run("prepare", expect=3)
    assert "lockship host trust web1 web2" in unknown.stderr
    assert "no terminal" in shop.run("host", "trust", "web1", "web2", expect=2).stderr
    ours, theirs = prints(web1), prints(fleet["web2"])
    words = [f"--fingerprint={each}" for each in (*ours, *theirs)]
    first = shop.run("host", "trust", "web1", "deploy@web2:22", *words)
    assert f"web1 {ours[0]} (" in first.stdout
    assert {name: sorted(host["keys"]) for name, host in shop.lock()["hosts"].items()} == {
        name: sorted(fleet[name].host_keys) for name in ("web1", "web2")
    }
    # As on a machine that has only the repository.
    shop.commit("Lock")
    shop.run("prepare", "--frozen")
    shop.run("prepare", "--check")
    shop.run("build")
    shop.run("deploy", "--plan")
    assert not known.exists()

    locked = shop.lock()
    web1.rotate_host_key()
    changed = shop.run("deploy", "--plan", expect=1).stderr
    assert "web1: host key changed" in changed
    assert any(each in changed for each in ours)
    assert any(each in changed for each in prints(web1))
    assert "lockship host trust web1" in changed

    before = (shop.folder / ".shiplock").read_bytes()
    wrong = shop.run("host", "trust", "web1", f"--fingerprint={ours[0]}", expect=3).stderr
    assert all(each in wrong for each in (ours[0], *prints(web1)))
    command = lockship_command(["host", "trust", "web1"])
    status, drawn = on_terminal(command, shop.folder, fleet.env(), typed="n\n")
    assert status == 130
    assert (shop.folder / ".shiplock").read_bytes() == before
    # Whatever is in the working tree: only the keys change.
    shop.write("lockship.toml", "nothing that could be read")
    status, drawn = on_terminal(command, shop.folder, fleet.env(), typed="y\n")
    assert status == 0, drawn
    assert all(each in drawn for each in (*ours, *prints(web1)))
    trusted = shop.lock()
    assert trusted.pop("fingerprint") != locked.pop("fingerprint")
    assert sorted(trusted["hosts"]["web1"].pop("keys")) == sorted(web1.host_keys)
    del locked["hosts"]["web1"]["keys"]
    assert trusted == locked
    shop.run("deploy", "--plan")
    again = json.loads(
        shop.run("host", "trust", "web1", "--json", f"--fingerprint={prints(web1)[0]}").stdout
    )
    assert sorted(again["hosts"][0]["before"]) == prints(web1)
    assert again["hosts"][0]["after"] == [prints(web1)[0]]
    web1.stop_sshd()
    assert "shows no host key" in shop.run("host", "trust", "web1", *words, expect=1).stderr


def certify(host: TestHost, authority: Path, *more: str) -> None:
    """Give the host's Ed25519 key a certificate of the authority, and let sshd show it."""
    key = host.root / "sshd/ed25519.pub"
    names = f"{host.address},{host.name}"
    sh("ssh-keygen", "-q", "-s", str(authority), "-h", "-I", "h", "-n", names, *more, str(key))
    settings = host.root / "sshd/config"
    line = f"HostCertificate {host.root}/sshd/ed25519-cert.pub\n"
    if line not in settings.read_text():
        settings.write_text(line + settings.read_text())
    host.stop_sshd()
    host.start_sshd()


def test_a_certificate_authority_vouches_for_a_key(shop: Shop, tmp_path: Path) -> None:
    fleet, web1, web2 = shop.fleet, shop.fleet["web1"], shop.fleet["web2"]
    for name in ("ca", "other"):
        sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name))
    public = " ".join((tmp_path / "ca.pub").read_text().split()[:2])
    known = "".join(f"{web2.address} {key}\n" for key in web2.host_keys)
    fleet.home.known_hosts.write_text(f"@cert-authority {web1.address} {public}\n{known}")
    # Without a certificate, with a stranger's, with one that has ended, for another name: no.
    for authority, more in (
        ("", ()),
        ("other", ()),
        ("ca", ("-V", "20200101:20210101")),
        ("ca", ("-n", "elsewhere.example.com")),
    ):
        if authority:
            certify(web1, tmp_path / authority, *more)
        refused = shop.run("prepare", expect=3).stderr
        assert "web1 (it shows no certificate of the authority" in refused
    certify(web1, tmp_path / "ca")
    shop.run("prepare")
    ed25519 = next(key for key in web1.host_keys if key.startswith("ssh-ed25519 "))
    assert shop.lock()["hosts"]["web1"]["keys"] == [ed25519]
    fleet.home.known_hosts.unlink()
    shop.run("server", "check", "--host", "web1")
