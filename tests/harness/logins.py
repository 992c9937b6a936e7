"""Who may log in to a host: its sshd's configuration and keys, its users, their authorized keys."""

import os
from pathlib import Path

from tests.harness.shell import sh

PLAIN_USER = "deploy"
"""A login besides root: no root rights, but in the docker group."""

FILES = ("etc/passwd", "etc/group", "etc/shadow")
"""The user database, which each host has for itself."""

_PLAIN_ID = 1500
_KEY_TYPES = ("ed25519", "ecdsa")
_SSHD_CONFIG = """\
AddressFamily inet
{host_keys}
PidFile /run/sshd.pid
AuthorizedKeysFile .ssh/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
AllowTcpForwarding yes
Subsystem sftp internal-sftp
"""


def write_sshd_config(root: Path) -> None:
    """Write sshd's configuration with new host keys."""
    folder = root / "sshd"
    folder.mkdir(parents=True)
    (root / "run/sshd").mkdir(parents=True, exist_ok=True)
    for kind in _KEY_TYPES:
        sh("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", str(folder / kind))
    lines = "\n".join(f"HostKey {folder / kind}" for kind in _KEY_TYPES)
    (folder / "config").write_text(_SSHD_CONFIG.format(host_keys=lines))


def host_keys(root: Path) -> list[str]:
    """The public keys that sshd shows, as `ssh-ed25519 AAAA...`."""
    files = [root / f"sshd/{kind}.pub" for kind in _KEY_TYPES]
    return [" ".join(file.read_text().split()[:2]) for file in files]


def write_users(root: Path, authorized_key: str) -> None:
    """Write the host's own user database: this machine's, and PLAIN_USER; the key lets both in."""
    passwd, group, shadow = (Path("/", file).read_text() for file in FILES)
    docker = [line for line in group.splitlines() if line.startswith("docker:")]
    docker_id = docker[0].split(":")[2] if docker else str(_PLAIN_ID + 1)
    groups = [line for line in group.splitlines() if line not in docker]
    groups += [f"docker:x:{docker_id}:{PLAIN_USER}", f"{PLAIN_USER}:x:{_PLAIN_ID}:"]
    passwd += f"{PLAIN_USER}:x:{_PLAIN_ID}:{_PLAIN_ID}::/home/{PLAIN_USER}:/bin/sh\n"
    shadow += f"{PLAIN_USER}:*:19000:0:99999:7:::\n"
    group = "\n".join(groups) + "\n"
    for file, content in zip(FILES, (passwd, group, shadow), strict=True):
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).touch(mode=0o600 if file.endswith("shadow") else 0o644)
        (root / file).write_text(content)
    for home, owner in ((root / "root", 0), (root / "home" / PLAIN_USER, _PLAIN_ID)):
        (home / ".ssh").mkdir(parents=True)
        (home / ".ssh/authorized_keys").write_text(authorized_key + "\n")
        for path in (home, home / ".ssh", home / ".ssh/authorized_keys"):
            os.chown(path, owner, owner)
            path.chmod(0o700 if path.is_dir() else 0o600)
