"""Look a host's keys up where ssh does: in the known_hosts of the person who prepares.

What a name means (alias, port, which known_hosts files) is OpenSSH's own answer, `ssh -G`. Where
known_hosts has only a certificate authority for a host, ssh asks the host for its certificate.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lockship.errors import LockshipError, UsageError
from lockship.lock.model import Host
from lockship.prepare import knownhosts
from lockship.prepare.hostscan import vouched
from lockship.prepare.knownhosts import Known
from lockship.prepare.sshwords import destination_words, elsewhere

_AT_ONCE: Final = 16
_SECONDS: Final = 30  # a `Match exec` in an ssh configuration may take its time


def look_up(hosts: Mapping[str, Host]) -> dict[str, Known]:
    """Return what is known of each host. Raises UsageError without ssh, LockshipError else."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(hosts, pool.map(_known, hosts, hosts.values()), strict=True))


@dataclass(frozen=True)
class _Meaning:
    """What ssh makes of a host's name."""

    names: tuple[str, ...]
    files: tuple[Path, ...]


def _known(name: str, host: Host) -> Known:
    meaning = _meaning(name, host)
    lines: list[str] = []
    for path in meaning.files:
        try:
            lines += path.read_text(errors="replace").splitlines()
        except OSError:
            continue  # most of ssh's default files aren't there
    found = knownhosts.find(lines, meaning.names)
    if found.keys or not found.authority:
        return found
    return replace(found, keys=vouched(name, host, meaning.files))


def _meaning(name: str, host: Host) -> _Meaning:
    home = Path.home()
    try:
        done = subprocess.run(
            ["ssh", "-G", *destination_words(name, host)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise UsageError("ssh can't be run here.", hint="Install OpenSSH's client.") from error
    except subprocess.TimeoutExpired as error:
        raise LockshipError(
            f"`ssh -G {name}` doesn't answer.", hint="Look for `Match exec` in your ssh config."
        ) from error
    if done.returncode:
        raise LockshipError(
            f"ssh's configuration can't be read for {name}.", details=done.stderr.splitlines()
        )
    return _parse_answer(done.stdout, name, home)


def _parse_answer(answer: str, name: str, home: Path) -> _Meaning:
    said = dict(line.partition(" ")[::2] for line in answer.splitlines())
    alias = said.get("hostkeyalias")
    address = said.get("hostname", name)
    # An alias is used as it is, without the port (hostfile.c and sshconnect.c of OpenSSH).
    names = (alias,) if alias else knownhosts.names_of(address, int(said.get("port", "22")))
    files = [
        *said.get("userknownhostsfile", "").split(),
        *said.get("globalknownhostsfile", "").split(),
    ]
    paths = [home / file[2:] if file.startswith("~/") else Path(file) for file in files]
    if elsewhere(home):
        paths.insert(0, home / ".ssh/known_hosts")
    return _Meaning(names, tuple(paths))
