"""The user's ssh configuration, with the lock's user and port before it."""

from __future__ import annotations

import glob
import io
from pathlib import Path

import paramiko

_FILES = ("~/.ssh/config", "/etc/ssh/ssh_config")
_DEEPEST = 16  # OpenSSH's own limit for files that include files (readconf.c, READCONF_MAX_DEPTH)


def load(name: str, user: str | None, port: int | None) -> paramiko.SSHConfig:
    """Return the configuration for one host; raises paramiko.ConfigParseError.

    The first value found wins, as in OpenSSH: so what the lock says stands in front, for this host
    only, and goes into what the user's ProxyCommand is told (`%r`, `%p`).
    """
    lines = [f"Host {name}"]
    lines += [f"  User {user}"] if user else []
    lines += [f"  Port {port}"] if port else []
    for file in _FILES:
        # What an included or second file says before its first Host is for all hosts.
        lines += ["Host *", *_lines(Path(file).expanduser(), 0)]
    config = paramiko.SSHConfig()
    config.parse(io.StringIO("\n".join(lines) + "\n"))
    return config


def _lines(file: Path, depth: int) -> list[str]:
    """Return a file's lines with included files in place, which paramiko doesn't know."""
    try:
        text = file.read_text(errors="replace")
    except OSError:
        return []
    lines: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].lower() != "include" or depth == _DEEPEST:
            lines.append(line)
            continue
        for pattern in words[1:]:
            # A relative one is beside the user's own, or the system's own configuration.
            mine = file.is_relative_to(Path("~").expanduser())
            base = Path("~/.ssh").expanduser() if mine else Path("/etc/ssh")
            wanted = base / Path(pattern.strip('"')).expanduser()
            for found in sorted(glob.glob(str(wanted))):  # noqa: PTH207 - it may be absolute
                lines += _lines(Path(found), depth + 1)
    return lines
