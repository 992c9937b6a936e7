"""Running the machine's own tools, and waiting for conditions."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The harness's tools and the hosts' logins see the system's programs, not a developer's shims."""

BASE_ENV = {"PATH": SYSTEM_PATH, "HOME": "/root", "LANG": "C.UTF-8", "TZ": "UTC"}

_TOOLS = {
    "ip": "iproute2",
    "iptables": "iptables",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "dockerd": "docker.io",
    "docker": "docker.io",
    "sshd": "openssh-server",
    "ssh-keygen": "openssh-client",
    "docker-registry": "docker-registry",
    "busybox": "busybox-static",
}


class HarnessError(Exception):
    """The fleet can't do what was asked; the message says why, with the tool's own output."""


def require_tools() -> None:
    """Refuse, with everything that is missing in one message, where a fleet can't run."""
    problems = [] if os.geteuid() == 0 else ["must run as root (scripts/test uses sudo)"]
    missing = {
        package for tool, package in _TOOLS.items() if shutil.which(tool, path=SYSTEM_PATH) is None
    }
    if missing:
        problems.append(f"missing packages, try: apt-get install {' '.join(sorted(missing))}")
    if problems:
        raise HarnessError("a test fleet can't start here: " + "; ".join(problems))


def sh(
    *argv: str,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> str:
    """Run a program, give back its stdout; raise `HarnessError` with its stderr when it fails."""
    done = subprocess.run(
        argv,
        input=stdin,
        env={**BASE_ENV, **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if done.returncode:
        raise HarnessError(
            f"{' '.join(argv)}: exit {done.returncode}: {(done.stderr or done.stdout).strip()}"
        )
    return done.stdout


def until(condition: Callable[[], object], limit: float, what: str | Callable[[], str]) -> float:
    """Wait until `condition()` is true, at most `limit` seconds; give back how many it took."""
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > limit:
            raise HarnessError(
                f"waited {limit:g} s for {what if isinstance(what, str) else what()}"
            )
        time.sleep(0.01)
    return time.monotonic() - begin
