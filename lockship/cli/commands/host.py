"""`lockship host`: the keys of hosts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lockship.cli import console, options
from lockship.errors import EXIT_DONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockship.prepare.trust import Offer

    Keys = Mapping[str, tuple[str, ...]]


@click.group("host")
def command() -> None:
    """Trust the keys of the hosts that are deployed to."""


@command.command("trust")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--fingerprint",
    "fingerprints",
    multiple=True,
    metavar="SHA256:...",
    help="Pin the key with this fingerprint without asking; may be given again.",
)
@options.destination
@options.as_json
def trust(
    *, names: Sequence[str], fingerprints: Sequence[str], destination: str | None, as_json: bool
) -> int:
    """Show the keys of hosts, ask, and pin them in the lock.

    Compare the fingerprints with those that the host itself says. Only the keys change in a lock
    that knows the host; for others the lock is prepared with them. known_hosts isn't read.
    """
    from lockship.cli import question
    from lockship.prepare import previous, trust

    if not fingerprints:
        otherwise = "Say which key is right with --fingerprint SHA256:..."
        question.require_terminal("host trust", otherwise)
    path = trust.lock_file(Path.cwd(), destination)
    before = previous.read(path, destination).lock
    offers = trust.offers(names, before)
    keys: dict[str, tuple[str, ...]] = {}
    for offer in offers:
        if fingerprints:
            keys[offer.name] = trust.chosen(offer, fingerprints)
        elif not offer.known:
            question.ask(f"trust {offer.name}", _lines(offer))
            keys[offer.name] = offer.shown
    _pin(path, keys, destination, quietly=as_json)
    if as_json:
        console.data_json({"path": str(path), "hosts": [_data(each, keys) for each in offers]})
        return EXIT_DONE
    for offer in offers:
        for line in trust.described(keys.get(offer.name, offer.pinned)):
            console.data(f"{offer.name} {line}")
        if offer.name not in keys or set(keys[offer.name]) == set(offer.pinned):
            console.say(f"{offer.name}: these keys were pinned already")
    return EXIT_DONE


def _pin(path: Path, keys: Keys, destination: str | None, *, quietly: bool) -> None:
    """Pin keys: in the lock that is there where it knows all of these hosts, else by preparing."""
    from lockship.cli import progress, secrets, summary
    from lockship.prepare import previous, trust
    from lockship.prepare.prepare import prepare

    lock = previous.read(path, destination).lock
    if not keys:
        return
    if lock is not None and set(keys) <= set(lock.hosts):
        trust.pin_in_lock(path, lock, keys)
        if not quietly:
            console.say(f"pinned in {path.name}; next: git add {path.name} && git commit")
        return
    with progress.shown(quietly=quietly, live=False) as report:
        prepared = prepare(
            Path.cwd(),
            destination=destination,
            trusted=keys,
            report=report,
            resolve=secrets.resolved,
        )
    for line in [] if quietly else summary.prepared_lines(prepared):
        console.say(line)


def _lines(offer: Offer) -> list[str]:
    from lockship.prepare.trust import described

    lines = [f"{offer.name} shows these keys:", *(f"  {each}" for each in described(offer.shown))]
    if offer.pinned:
        lines += ["pinned are:", *(f"  {each}" for each in described(offer.pinned))]
    return lines


def _data(offer: Offer, keys: Keys) -> dict[str, object]:
    from lockship.prepare.knownhosts import fingerprint

    after = keys.get(offer.name, offer.pinned)
    return {
        "name": offer.name,
        "before": [fingerprint(key) for key in offer.pinned],
        "after": [fingerprint(key) for key in after],
    }
