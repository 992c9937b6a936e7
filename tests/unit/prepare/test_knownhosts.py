"""known_hosts lines as OpenSSH reads them; `ssh-keygen -F` is the judge where it can be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lockship.prepare.knownhosts import find, names_of


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three real keys, as `type base64`."""
    folder = tmp_path_factory.mktemp("keys")
    for kind in ("ed25519", "ecdsa", "rsa"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(folder / kind)], check=True
        )
    files = sorted(folder.glob("*.pub"))
    return [" ".join(file.read_text().split()[:2]) for file in files]


def test_plain_names(keys: list[str]) -> None:
    lines = [f"web1,198.51.100.7 {keys[0]} a comment", f"web2 {keys[1]}", f"web1 {keys[2]}"]
    assert find(lines, ["web1"]).keys == tuple(sorted([keys[0], keys[2]]))
    assert find(lines, ["198.51.100.7"]).keys == (keys[0],)
    assert find(lines, ["web"]).keys == ()


def test_patterns(keys: list[str]) -> None:
    lines = [f"*.example.com,!bad.example.com,web?.test {keys[0]}"]
    assert find(lines, ["a.example.com"]).keys
    assert find(lines, ["WEB1.test"]).keys
    assert not find(lines, ["bad.example.com"]).keys
    assert not find(lines, ["web11.test"]).keys


def test_ports(keys: list[str]) -> None:
    lines = [f"[web1]:2222 {keys[0]}", f"web1 {keys[1]}", f"[2001:db8::1]:2222 {keys[2]}"]
    assert find(lines, names_of("web1", 2222)).keys == (keys[0],)
    assert find(lines, names_of("web1", 22)).keys == (keys[1],)
    assert find(lines, names_of("web1", 2223)).keys == (keys[1],)  # as ssh: the host's plain name
    assert find(lines, names_of("2001:db8::1", 2222)).keys == (keys[2],)
    assert find(["[w]:* " + keys[0]], names_of("w", 5)).keys == (keys[0],)


def test_hashed_names(keys: list[str], tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"web1 {keys[0]}\n[web2]:2222 {keys[1]}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(path)], check=True, capture_output=True)
    lines = path.read_text().splitlines()
    assert all(line.startswith("|1|") for line in lines)
    assert find(lines, ["web1"]).keys == (keys[0],)
    assert find(lines, names_of("web2", 2222)).keys == (keys[1],)
    assert not find(lines, ["web3"]).keys


def test_revoked_keys(keys: list[str]) -> None:
    lines = [f"web1 {keys[0]}", f"web1 {keys[1]}", f"@revoked * {keys[0]}"]
    assert find(lines, ["web1"]).keys == (keys[1],)
    only = find([lines[0], lines[2]], ["web1"])
    assert only.keys == ()
    assert only.revoked


def test_a_certificate_authority_is_no_host_key(keys: list[str]) -> None:
    known = find([f"@cert-authority *.example.com {keys[0]}"], ["a.example.com"])
    assert known.keys == ()
    assert known.authority


def test_broken_lines_are_passed_over(keys: list[str]) -> None:
    kind, _, blob = keys[0].partition(" ")
    lines = [
        "",
        "# web1 " + keys[0],
        "web1",
        "web1 " + kind,
        f"web1 {kind} !!!",
        f"web1 ssh-rsa {blob}",  # not what the key itself says
        f"web1 ssh-dss {blob}",
        f"@unknown web1 {keys[0]}",
        f"|1|broken {keys[0]}",
        f"|1|###|### {keys[0]}",
        "@revoked",
    ]
    assert find(lines, ["web1"]).keys == ()
