"""The home folder of the person who deploys: keys, ssh config, known hosts, credentials."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.harness.shell import sh

GITCONFIG = """\
[user]
\tname = Ada Shipper
\temail = ada@example.com
[init]
\tdefaultBranch = main
[commit]
\tgpgSign = false
[advice]
\tdetachedHead = false
"""


@dataclass(frozen=True)
class Home:
    path: Path

    @property
    def ssh_config(self) -> Path:
        return self.path / ".ssh/config"

    @property
    def known_hosts(self) -> Path:
        return self.path / ".ssh/known_hosts"

    @property
    def key(self) -> Path:
        """The private key that every host lets in."""
        return self.path / ".ssh/id_ed25519"

    @property
    def public_key(self) -> str:
        return self.key.with_suffix(".pub").read_text().strip()

    @property
    def docker_config(self) -> Path:
        return self.path / ".docker/config.json"


def create_home(path: Path) -> Home:
    home = Home(path)
    home.ssh_config.parent.mkdir(parents=True)
    home.ssh_config.parent.chmod(0o700)
    home.docker_config.parent.mkdir()
    home.docker_config.write_text("{}\n")
    (path / ".gitconfig").write_text(GITCONFIG)
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada@laptop", "-f", str(home.key))
    return home


def write_ssh_config(home: Home, addresses: Mapping[str, str], *, user: str) -> None:
    """One `Host` block for each alias.

    Paths are absolute, because OpenSSH expands ~ by the password file and not by HOME.
    """
    blocks = [
        f"Host {alias}\n    HostName {address}\n    User {user}\n"
        for alias, address in addresses.items()
    ]
    blocks.append(
        f"Host *\n    IdentityFile {home.key}\n"
        f"    UserKnownHostsFile {home.known_hosts}\n    StrictHostKeyChecking yes\n"
    )
    home.ssh_config.write_text("\n".join(blocks))


def write_known_hosts(
    home: Home, keys: Mapping[str, Iterable[str]], *, hashed: bool = False
) -> None:
    """Write keys by address as ssh does after a first login; `hashed` as Debian's does."""
    home.known_hosts.write_text(
        "".join(f"{name} {key}\n" for name, found in keys.items() for key in found)
    )
    if hashed:
        sh("ssh-keygen", "-H", "-f", str(home.known_hosts))
        home.known_hosts.with_suffix(".old").unlink()


def write_docker_config(home: Home, config: Mapping[str, object]) -> None:
    home.docker_config.write_text(json.dumps(config, indent=2) + "\n")
    home.docker_config.chmod(0o600)
