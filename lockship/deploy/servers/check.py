"""Look at every host of a lock, and say what isn't ready for it. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from lockship.deploy.fleet import connected, each
from lockship.deploy.servers.facts import Seen, see
from lockship.deploy.servers.judge import Check, judge
from lockship.errors import LockshipError
from lockship.host.connect import connect
from lockship.lock.model import LOCAL, Host, Lock
from lockship.progress import Report, quiet


class Checked(Struct, frozen=True):
    """What was found on all hosts, in the lock's order. `ready`: nothing failed."""

    ready: bool
    checks: tuple[Check, ...]


def check(lock: Lock, hosts: Sequence[str], *, report: Report = quiet) -> Checked:
    """Look at hosts. One that can't be reached is a finding as all others."""
    platforms = _platforms(lock)
    with connected(lock, hosts, report) as opened:
        seen = each(opened.done, lambda name: see(opened.done[name]), parallel=len(hosts))
    failed: Mapping[str, LockshipError] = {**opened.failed, **seen.failed}
    checks: list[Check] = []
    for host in hosts:
        if host in failed:
            checks.append(_unreached(host, failed[host]))
        else:
            checks += [_reached(lock, seen.done[host]), *judge(lock, seen.done[host], platforms)]
    return Checked(all(each_one.verdict != "failed" for each_one in checks), tuple(checks))


def _unreached(host: str, error: LockshipError) -> Check:
    return Check(host, "reach", "failed", error.message.removeprefix(f"{host}: "), error.hint)


def _reached(lock: Lock, seen: Seen) -> Check:
    if seen.host == LOCAL:
        return Check(seen.host, "reach", "ok", "this machine")
    keys = len(lock.hosts[seen.host].keys)
    pinned = "its pinned key" if keys == 1 else f"one of its {keys} pinned keys"
    return Check(seen.host, "reach", "ok", f"as {seen.facts.user} by ssh, with {pinned}")


def _platforms(lock: Lock) -> tuple[str, ...]:
    """Return the image's: what the lock asks for, else what the image that is here has."""
    if lock.build.platforms or lock.artifact is None:
        return lock.build.platforms
    try:
        with connect(LOCAL, Host(), timeout=lock.deploy.connect_timeout) as here:
            found = [here.image(made.image_id) for made in lock.artifact.images]
    except LockshipError:  # no engine here: a CI that only deploys
        return ()
    return tuple(image.platform for image in found if image is not None)
