"""Ask a host itself for its keys, by way of ssh: its configuration, jump hosts and aliases hold.

Nobody logs in: ssh ends once the host has shown its key and no way to log in is left.
"""

from __future__ import annotations

import re
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from lockship.errors import LockshipError, UsageError
from lockship.host.errors import login_words
from lockship.lock.model import Host
from lockship.prepare.knownhosts import fingerprint, is_key
from lockship.prepare.sshwords import destination_words

_SECONDS: Final = 30
_PLAIN: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
    "rsa-sha2-512,rsa-sha2-256",
)
_CERTIFIED: Final = ",".join(
    f"{kind}-cert-v01@openssh.com" for kinds in _PLAIN for kind in kinds.split(",")
)
# What ssh says with -v (sshconnect2.c, sshconnect.c). A host that isn't accepted can put such lines
# there too: by the reason for which it disconnects, or by the name in its certificate.
_SHOWN: Final = re.compile(r"^debug1: Server host certificate: \S+ (SHA256:\S+), serial ", re.M)
_MATCHES: Final = re.compile(
    r"^debug1: Host '.*' is known and matches the \S+-CERT host certificate\.\r?$", re.M
)
_NO_LOGIN: Final = (
    "BatchMode=yes",
    "PreferredAuthentications=none",
    "ConnectTimeout=15",
    "ControlMaster=no",
    "ControlPath=none",
    "UpdateHostKeys=no",
    "VerifyHostKeyDNS=no",
    "ClearAllForwardings=yes",
)


def presented(name: str, host: Host) -> tuple[str, ...]:
    """Return the keys that whoever answers as a host shows now, one of each type, sorted.

    They prove nothing: a person compares their fingerprints with the host's own. Raises
    LockshipError where no key is shown.
    """
    with ThreadPoolExecutor(len(_PLAIN)) as pool:
        found = list(pool.map(lambda kinds: _shown(name, host, kinds), _PLAIN))
    keys = {key for keys, _ in found for key in keys}
    if not keys:
        said = found[0][1].strip().splitlines()
        raise LockshipError(
            f"{name} shows no host key.",
            details=said[-5:],
            hint=f"See whether ssh reaches it: ssh {login_words(name, host)} true",
        )
    return tuple(sorted(keys))


def vouched(name: str, host: Host, files: Sequence[Path]) -> tuple[str, ...]:
    """Return the keys of a host for which a certificate authority of known_hosts vouches.

    ssh itself checks the certificate: its signature, its time, its names. What is pinned is the key
    that it certifies, which the host shows without its certificate as well. None of it: `()`.
    """
    with _agent() as (path, asked):
        options = [
            "StrictHostKeyChecking=yes",
            f"HostKeyAlgorithms={_CERTIFIED}",
            f"UserKnownHostsFile={' '.join(_quoted(file) for file in files) or '/dev/null'}",
            f"IdentityAgent={_quoted(path)}",
        ]
        said = _ssh(name, host, options, verbose=True)
    # Whoever was accepted had the last word on which key it is.
    shown = _SHOWN.findall(said)
    if not asked.is_set() or not shown or not _MATCHES.search(said):
        return ()
    return tuple(key for key in presented(name, host) if fingerprint(key) == shown[-1])


@contextmanager
def _agent() -> Iterator[tuple[Path, threading.Event]]:
    """Have an SSH agent without keys, and tell whether it was asked for any.

    ssh does that once it has accepted the host, to log in (sshconnect2.c, pubkey_prepare). Unlike
    what ssh says, that is nothing which a host can feign.
    """
    asked = threading.Event()

    def answer(listener: socket.socket) -> None:
        with suppress(OSError):  # the listener was shut down
            while True:
                connection, _ = listener.accept()
                asked.set()
                connection.close()

    with (
        tempfile.TemporaryDirectory(prefix="lockship-") as folder,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        path = Path(folder) / "agent"
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=answer, args=(listener,), daemon=True)
        thread.start()
        try:
            yield path, asked
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(1)


def _shown(name: str, host: Host, kinds: str) -> tuple[list[str], str]:
    """Return the key of some kinds that a host shows, and what ssh said."""
    with tempfile.TemporaryDirectory(prefix="lockship-") as folder:
        file = Path(folder) / "known_hosts"
        options = [
            "StrictHostKeyChecking=accept-new",
            f"HostKeyAlgorithms={kinds}",
            f"UserKnownHostsFile={_quoted(file)}",
            "GlobalKnownHostsFile=/dev/null",
            "HashKnownHosts=no",
        ]
        said = _ssh(name, host, options)
        lines = file.read_text().splitlines() if file.exists() else []
    words = [line.split() for line in lines]
    return [f"{w[1]} {w[2]}" for w in words if len(w) >= 3 and is_key(w[1], w[2])], said


def _ssh(name: str, host: Host, options: Sequence[str], *, verbose: bool = False) -> str:
    argv = ["ssh", "-T", *(["-v"] if verbose else [])]
    argv += [f"-o{option}" for option in (*_NO_LOGIN, *options)]
    argv += [*destination_words(name, host), "true"]
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise UsageError("ssh can't be run here.", hint="Install OpenSSH's client.") from error
    except subprocess.TimeoutExpired:
        return f"no answer within {_SECONDS} s"
    return done.stderr


def _quoted(path: Path) -> str:
    """Write a path as a word of an ssh option; a quote or a '%' in it has no spelling there."""
    text = str(path).replace("%", "%%")
    return f'"{text}"' if " " in text else text
