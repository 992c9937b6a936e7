"""Which stored lock a rollback deploys: from the hosts, whether or not it was ever committed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lockship.deploy import names
from lockship.deploy.fleet import connected, each, used_hosts
from lockship.deploy.journal import served
from lockship.deploy.observe import read_releases
from lockship.deploy.steps import Release
from lockship.errors import LockshipError, RefusedError
from lockship.host.server import Server
from lockship.lock.model import Lock
from lockship.lock.reader import parse
from lockship.progress import Event, Report, quiet


def choose(lock: Lock, version: str | None, *, report: Report = quiet) -> Lock:
    """Return the stored lock of `version`, or of the release before the current one.

    `lock` only says which hosts to ask. A version that is stored and isn't a release is allowed
    where it is named, and said to be so. Raises LockshipError where there is nothing to roll back
    to, RefusedError where hosts disagree on what came before.
    """
    with connected(lock, used_hosts(lock), report) as opened:
        opened.values_or_raise("Every host is asked what ran before, and not all can be reached.")
        servers = opened.done
        results = each(servers, lambda h: read_releases(servers[h], lock), parallel=len(servers))
        results.values_or_raise("Not every host could be asked what ran before.")
        fingerprint = _before(results.done) if version is None else None
        found = _stored(servers, lock, fingerprint, version)
        if found is not None and (note := _unkept(servers, found, results.done)):
            report(Event("note", note))
    if found is None:
        raise LockshipError(
            f"No host has a lock of {lock.project} {version}."
            if version
            else f"There is nothing to roll {lock.project} back to.",
            hint=_known(results.done),
        )
    return found


def _unkept(
    servers: Mapping[str, Server], lock: Lock, releases: Mapping[str, tuple[Release, ...]]
) -> str | None:
    """Return what a person should know of a stored lock that no host keeps as a release."""
    kept = {each_one.fingerprint for known in releases.values() for each_one in known}
    if lock.fingerprint in kept:
        return None
    results = each(servers, lambda h: served(servers[h], lock), parallel=len(servers))
    told = results.values_or_raise("Not every host's journal could be read.")
    if any(lock.fingerprint in fingerprints for fingerprints in told):
        return f"{lock.service.version} served before, and isn't kept any more: it is brought anew"
    return f"{lock.service.version} never served here: no deploy of it ended well"


def _before(releases: Mapping[str, tuple[Release, ...]]) -> str | None:
    """Return the fingerprint of the release before the current one; None where there is none.

    A host that joined later has a shorter list: it is no voice against the others.
    """
    votes = {host: known[-2] for host, known in releases.items() if len(known) > 1}
    if len({vote.fingerprint for vote in votes.values()}) > 1:
        raise RefusedError(
            "The hosts don't agree on which release came before the current one.",
            details=[f"{host}: {vote.version}" for host, vote in votes.items()],
            hint="Name one: `lockship rollback VERSION`.",
        )
    return next((vote.fingerprint for vote in votes.values()), None)


def _stored(
    servers: Mapping[str, Server], lock: Lock, fingerprint: str | None, version: str | None
) -> Lock | None:
    """Return the first stored lock that fits, the newest release first.

    One that is damaged is passed over while another host has it whole, and raised else.
    """
    damaged: LockshipError | None = None
    for server in servers.values():
        for path in _candidates(server, lock, fingerprint, version):
            data = server.read_file(path)
            if data is None:
                continue
            try:
                found = parse(data, f"{server.name}:{path}")
            except LockshipError as error:
                damaged = damaged or error
                continue
            if fingerprint in (None, found.fingerprint) and version in (
                None,
                found.service.version,
            ):
                return found
    if damaged is not None:
        raise damaged
    return None


def _candidates(
    server: Server, lock: Lock, fingerprint: str | None, version: str | None
) -> Iterable[str]:
    if fingerprint is not None:
        yield names.stored_lock_path(lock, fingerprint)
    elif version is not None:
        recent = [r.fingerprint for r in reversed(read_releases(server, lock))]
        yield from (names.stored_lock_path(lock, each_one) for each_one in recent)
        folder = names.locks_folder(lock)
        yield from (f"{folder}/{name}" for name in server.list_folder(folder))


def _known(releases: Mapping[str, tuple[Release, ...]]) -> str:
    versions = list(dict.fromkeys(r.version for known in releases.values() for r in known))
    return f"Releases on the hosts: {', '.join(versions)}." if versions else "Nothing is deployed."
