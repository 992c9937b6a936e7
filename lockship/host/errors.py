"""What can go wrong with a host: one error with the host's name, a kind and what to type next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from lockship.errors import LockshipError
from lockship.lock.model import LOCAL, Host

Kind = Literal[
    "unreachable",  # no such name, nothing listens, no route, no answer to the first packet
    "frozen",  # accepted the connection, then nothing came within the limit
    "host-key",  # unknown or changed
    "authentication",
    "no-docker",  # not installed, not running, or the login user may not use it
    "gone",  # the connection or the engine went away in the middle
    "disk-full",
    "port-taken",
    "pull",  # the registry refused, or can't be reached from the host
    "image",  # what arrived isn't what was sent
    "tools",  # a program is missing on the host
    "file",
    "refused",  # whatever else the engine or sshd said no to
]


class HostError(LockshipError):
    """Something failed on, or on the way to, one host.

    `message` begins with the host's name; `kind` lets a caller tell a host that can't be reached
    from one that said no. A hint may say `ssh NAME` with the host's name alone: see `log_in_as`.
    """

    def __init__(
        self,
        host: str,
        kind: Kind,
        message: str,
        *,
        hint: str = "",
        details: Sequence[str] = (),
    ) -> None:
        super().__init__(f"{host}: {message}", hint=hint, details=details)
        self.host = host
        self.kind = kind

    def log_in_as(self, words: str) -> None:
        """Let the hint say the ssh command with login, port and host as the lock has them.

        `words` are those of `login_words`. On this machine itself nobody needs ssh.
        """
        command = rf"\bssh (-v )?{re.escape(self.host)} "
        to = "" if self.host == LOCAL else rf"ssh \g<1>{words} "
        self.hint = re.sub(command, lambda found: found.expand(to), f"{self.hint} ")[:-1]


def login_words(name: str, host: Host) -> str:
    """Return what follows `ssh` to reach a host as the lock says: `-p 2222 deploy@web1`.

    A jump host or a ProxyCommand is the person's own configuration's, which ssh reads for the name.
    """
    port = f"-p {host.port} " if host.port else ""
    return f"{port}{host.user}@{name}" if host.user else f"{port}{name}"


class WrongImage(HostError):  # noqa: N818 - what is wrong with the host
    """The host hasn't the image of this id."""

    def __init__(self, host: str, image_id: str) -> None:
        super().__init__(
            host,
            "image",
            f"the image {image_id.removeprefix('sha256:')[:12]} isn't there any more",
            hint="run the same command again",
        )


def frozen(host: str, seconds: float, what: str, login: str = "") -> HostError:
    """Return the error for a host that accepted `what` and didn't answer within `seconds`."""
    return HostError(
        host,
        "frozen",
        f"no answer to {what} within {seconds:g} s",
        hint="see whether its engine is alive: docker version"
        if host == LOCAL
        else f"see whether the host is alive: ssh {login or host} true",
    )
