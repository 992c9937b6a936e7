"""Pin the hosts' keys: from the lock before, else from the known_hosts of who prepares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from lockship.errors import RefusedError
from lockship.host.errors import login_words
from lockship.lock.model import LOCAL, Host

if TYPE_CHECKING:
    from lockship.prepare.knownhosts import Known


def keep(hosts: Mapping[str, Host], before: Mapping[str, Host]) -> dict[str, Host]:
    """Return `hosts` with the keys that `before` pins; a host on another port is another host."""
    return {
        name: msgspec.structs.replace(host, keys=before[name].keys)
        if name in before and before[name].port == host.port
        else host
        for name, host in hosts.items()
    }


def without_keys(kept: Mapping[str, Host]) -> list[str]:
    """Return the names of the hosts that have no pin and need one."""
    return [name for name, host in kept.items() if name != LOCAL and not host.keys]


def look_up(hosts: Mapping[str, Host], names: Sequence[str]) -> dict[str, Host]:
    """Return `hosts`, those called `names` with the keys that known_hosts has for them.

    Raises RefusedError with all of them of which no key is known.
    """
    found = _look_up({name: hosts[name] for name in names})
    return {
        name: msgspec.structs.replace(host, keys=found[name].keys) if name in found else host
        for name, host in hosts.items()
    }


def _look_up(hosts: Mapping[str, Host]) -> Mapping[str, Known]:
    if not hosts:
        return {}
    from lockship.prepare import lookup  # most runs find every key in the lock

    found = lookup.look_up(hosts)
    _refuse_unknown(hosts, {name: known for name, known in found.items() if not known.keys})
    return found


def _refuse_unknown(hosts: Mapping[str, Host], unknown: Mapping[str, Known]) -> None:
    if not unknown:
        return
    details = []
    for name, known in unknown.items():
        why = " (revoked in known_hosts)" if known.revoked else ""
        if known.authority:
            why = " (it shows no certificate of the authority that known_hosts has for it)"
        details.append(f"{name}{why}: ssh {login_words(name, hosts[name])} true")
    raise RefusedError(
        f"No host key is known for {', '.join(unknown)}.",
        details=details,
        hint="Log in once with these commands, compare the fingerprint that ssh shows with the "
        f"host's own, then repeat; or `lockship host trust {' '.join(unknown)}`.",
    )
