"""All secrets of a lock at once: in parallel, each thing fetched once."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from lockship.errors import LockshipError
from lockship.secrets.kind import Place, Unresolved
from lockship.secrets.secret import Secret
from lockship.secrets.sources import KINDS, Source, parse

_PARALLEL: Final = 16
Outcome = Secret | Unresolved


def attempt(sources: Mapping[str, str], place: Place) -> dict[str, Outcome]:
    """Return, for each name, its secret or why it can't be had. Raises nothing of the latter."""
    read = {name: _read(text) for name, text in sources.items()}
    wanted = {_fetched(source) for source in read.values() if isinstance(source, Source)}
    with ThreadPoolExecutor(max_workers=min(_PARALLEL, len(wanted) or 1)) as pool:
        # A list: of a set the order is another one each time, and so would be any side effect's.
        fetches = {
            what: pool.submit(KINDS[what[0]].fetch, what[1], place) for what in sorted(wanted)
        }
    return {
        name: _outcome(source, fetches[_fetched(source)]) if isinstance(source, Source) else source
        for name, source in read.items()
    }


def all_or_raise(outcomes: Mapping[str, Outcome], sources: Mapping[str, str]) -> dict[str, Secret]:
    """Return the secrets. Raises LockshipError that names each missing one with its source."""
    missing = {name: why for name, why in outcomes.items() if isinstance(why, Unresolved)}
    if missing:
        count = "A secret" if len(missing) == 1 else f"{len(missing)} secrets"
        raise LockshipError(
            f"{count} can't be had; nothing was changed.",
            details=[f"{name} from {shown(sources[name])}: {why}" for name, why in missing.items()],
            hint="`lockship secrets check` tries them all again.",
        )
    return {name: each for name, each in outcomes.items() if isinstance(each, Secret)}


def shown(source: str) -> str:
    """Return a source as a message may show it: nothing of what is none, it may be a value."""
    try:
        parse(source)
    except ValueError:
        return "(no source)"
    return source


def _read(text: str) -> Source | Unresolved:
    try:
        return parse(text)
    except ValueError as expected:
        return Unresolved(f"that is not {expected}")


def _fetched(source: Source) -> tuple[str, str]:
    return source.kind, source.what


def _outcome(source: Source, fetch: Future[str]) -> Outcome:
    pick = KINDS[source.kind].pick
    try:
        value = fetch.result()
        value = pick(value, source.part) if pick is not None else value
    except Unresolved as why:
        return why
    if not value:
        return Unresolved("it is empty")
    if "\0" in value:
        return Unresolved("it holds a NUL character, which no variable can")
    return Secret(value)
