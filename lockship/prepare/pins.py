"""Pin the hosts' keys: from the lock before, else from the known_hosts of who prepares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from lockship.errors import RefusedError, UsageError
from lockship.lock.model import LOCAL, Host

if TYPE_CHECKING:
    from lockship.prepare.knownhosts import Known

EVERY: Final = "*"


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
    looked_up = _look_up({name: hosts[name] for name in again})
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


def _look_up(hosts: Mapping[str, Host]) -> Mapping[str, Known]:
    if not hosts:
        return {}
    from lockship.prepare.lookup import look_up  # most runs find every key in the lock

    found = look_up(hosts)
    _refuse_unknown(hosts, {name: known for name, known in found.items() if not known.keys})
    return found


def _refuse_unknown(hosts: Mapping[str, Host], unknown: Mapping[str, Known]) -> None:
    if not unknown:
        return
    details = []
    for name, known in unknown.items():
        host = hosts[name]
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
