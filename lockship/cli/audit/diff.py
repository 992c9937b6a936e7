"""`lockship audit diff`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lockship.cli import console, options
from lockship.cli.text import visible
from lockship.errors import EXIT_DONE

if TYPE_CHECKING:
    from lockship.audit.compare import Comparison
    from lockship.lock.model import Lock

_MISSING: Final = "not in this repository, so commits and files can't be told"


@click.command("diff")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@options.destination
@click.option("--all", "every", is_flag=True, help="Look at all branches and tags.")
@click.option("--patch", "as_patch", is_flag=True, help="Print the difference of the content too.")
@options.as_json
def command(
    *, a: str, b: str, destination: str | None, every: bool, as_patch: bool, as_json: bool
) -> int:
    """Show what changed from one locked state to another.

    A and B are versions or commits. Fields of the lock, the commits between the two sources (`+`
    came, `-` is gone) and the files that differ.
    """
    from lockship.audit import compare, revisions
    from lockship.audit.choose import one
    from lockship.cli.audit import look
    from lockship.git import Repository

    repository = Repository.discover(Path.cwd())
    tips = revisions.every_tip(repository) if every else [revisions.tip(repository, "HEAD")]
    found = look.entries_of(repository, tips)
    old, new = (one(repository, found, word, destination).lock for word in (a, b))
    if old is None or new is None:
        raise ValueError(a, b)  # `one` returns none without a lock
    result = compare.compare(repository, old, new)
    text = b"" if not as_patch or result.missing else compare.patch(repository, old, new)
    if as_json:
        patch = {"patch": text.decode(errors="replace")} if as_patch else {}
        console.data_json({"old": _named(old), "new": _named(new), "differences": result} | patch)
        return EXIT_DONE
    for line in _lines(old, new, result):
        console.data(line)
    for raw in text.splitlines():
        console.data(visible(raw, keep="\t"))
    return EXIT_DONE


def _named(lock: Lock) -> dict[str, str]:
    return {"version": lock.service.version, "fingerprint": lock.fingerprint}


def _lines(old: Lock, new: Lock, result: Comparison) -> Iterator[str]:
    yield f"{old.service.version} → {new.service.version}"
    yield ""
    yield "In the lock:" if result.fields else "The locks say the same."
    yield from (f"  {visible(line)}" for line in result.words)
    if result.missing:
        yield f"Objects {', '.join(oid[:12] for oid in result.missing)} are {_MISSING}."
        return
    yield f"Commits: {len(result.commits) or 'none'}"
    for each in result.commits:
        line = f"{each.side} {each.commit[:12]} {each.at[:10]} {each.author}: {each.subject}"
        yield "  " + visible(line)
    yield f"Files: {len(result.files) or 'none'}"
    yield from (f"  {visible(each)}" for each in result.files)
