"""What can go wrong with a host: one error with the host's name, a kind and what to type next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from lockship.errors import LockshipError

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
    from one that said no.
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


def frozen(host: str, seconds: float, what: str) -> HostError:
    """Return the error for a host that accepted `what` and didn't answer within `seconds`."""
    return HostError(
        host,
        "frozen",
        f"no answer to {what} within {seconds:g} s",
        hint=f"see whether the host is alive: ssh {host} true",
    )
