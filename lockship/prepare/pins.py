"""Pin the hosts' keys: from the lock before, else from the known_hosts of the person who prepares.

What a name means (alias, port, which known_hosts files) is OpenSSH's own answer, `ssh -G`.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from lockship.errors import LockshipError, RefusedError, UsageError
from lockship.lock.model import LOCAL, Host
from lockship.prepare import knownhosts

EVERY: Final = "*"
_AT_ONCE: Final = 16
_SECONDS: Final = 30  # a `Match exec` in an ssh configuration may take its time


class Upgraded(Struct, frozen=True, rename="kebab"):
    """A pin that was looked up again and is another one now."""

    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def keep(hosts: Mapping[str, Host], before: Mapping[str, Host]) -> dict[str, Host]:
    """Return `hosts` with the keys that `before` pins; a host on another port is another host."""
    return {
        name: msgspec.structs.replace(host, keys=before[name].keys)
        if name in before and before[name].port == host.port
        else host
        for name, host in hosts.items()
    }


def pin(
    hosts: Mapping[str, Host], before: Mapping[str, Host], upgrade: str | None
) -> tuple[dict[str, Host], tuple[Upgraded, ...]]:
    """Return `hosts` with their keys, and the pins that changed.

    A pin of `before` stays, unless `upgrade` is its host's name or '*'. Raises UsageError where
    `upgrade` names no host, RefusedError with all hosts of which no key is known.
    """
    if upgrade not in (None, EVERY, *hosts):
        raise UsageError(
            f"There is no pin called {upgrade!r}.", hint=f"Pinned are: {', '.join(hosts)}."
        )
    kept = keep(hosts, before)
    again = [
        name
        for name, host in kept.items()
        if name != LOCAL and (not host.keys or upgrade in (EVERY, name))
    ]
    looked_up = dict(zip(again, _look_up([hosts[name] for name in again], again), strict=True))
    _refuse_unknown({name: (hosts[name], known) for name, known in looked_up.items()})
    pinned = {
        name: msgspec.structs.replace(host, keys=looked_up[name].keys)
        if name in looked_up
        else host
        for name, host in kept.items()
    }
    upgraded = tuple(
        Upgraded(name, kept[name].keys, pinned[name].keys)
        for name in again
        if kept[name].keys and kept[name].keys != pinned[name].keys
    )
    return pinned, upgraded


def _look_up(hosts: Sequence[Host], names: Sequence[str]) -> list[knownhosts.Known]:
    if not names:
        return []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(_known, names, hosts))


def _refuse_unknown(found: Mapping[str, tuple[Host, knownhosts.Known]]) -> None:
    unknown = {name: each for name, each in found.items() if not each[1].keys}
    if not unknown:
        return
    details = []
    for name, (host, known) in unknown.items():
        user = f"{host.user}@" if host.user else ""
        port = f"-p {host.port} " if host.port else ""
        why = " (revoked in known_hosts)" if known.revoked else ""
        if known.authority:
            why = " (known_hosts has only a certificate authority for it; lockship pins host keys)"
        details.append(f"{name}{why}: ssh {port}{user}{name} true")
    raise RefusedError(
        f"No host key is known for {', '.join(unknown)}.",
        details=details,
        hint="Log in once with these commands, compare the fingerprint that ssh shows with the "
        "host's own, then repeat.",
    )


@dataclass(frozen=True)
class _Meaning:
    """What ssh makes of a host's name."""

    names: tuple[str, ...]
    files: tuple[Path, ...]


def _known(name: str, host: Host) -> knownhosts.Known:
    meaning = _meaning(name, host)
    lines: list[str] = []
    for path in meaning.files:
        try:
            lines += path.read_text(errors="replace").splitlines()
        except OSError:
            continue  # most of ssh's default files aren't there
    return knownhosts.find(lines, meaning.names)


def _meaning(name: str, host: Host) -> _Meaning:
    home = Path.home()
    words = ["ssh", "-G", *_config_words(home)]
    words += ["-l", host.user] if host.user else []
    words += ["-p", str(host.port)] if host.port else []
    try:
        done = subprocess.run(
            [*words, "--", name],
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
    if _elsewhere(home):
        paths.insert(0, home / ".ssh/known_hosts")
    return _Meaning(names, tuple(paths))


def _config_words(home: Path) -> list[str]:
    config = home / ".ssh/config"
    return ["-F", str(config)] if _elsewhere(home) and config.is_file() else []


def _elsewhere(home: Path) -> bool:
    """Tell whether HOME isn't the password file's, which is where ssh itself looks."""
    try:
        return home != Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return True
