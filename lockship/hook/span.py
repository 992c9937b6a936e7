"""The part of history that is judged: from which tips, without what is already known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lockship.errors import UsageError
from lockship.git import Objects, Repository
from lockship.hook.updates import Remote, Update


@dataclass(frozen=True, slots=True)
class Tip:
    """A commit that a ref becomes on the remote ('': none said), and the local branch, if any."""

    commit: str
    ref: str
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """The commits that `tips` reach and `known` doesn't. `known` is what the remote has already.

    `remote` is where they go, None where nothing is pushed; `along` are all ids that go there.
    """

    tips: tuple[Tip, ...]
    known: tuple[str, ...]
    remote: Remote | None = None
    along: frozenset[str] = frozenset()

    @property
    def revisions(self) -> tuple[str, ...]:
        """The span, as git is asked for it."""
        return (*dict.fromkeys(tip.commit for tip in self.tips), *(f"^{oid}" for oid in self.known))

    def branch_of(self, tip: Tip | None) -> str:
        """Return the local branch pushed with a tip (None: with any commit), if it is one."""
        branches = {each.branch for each in (self.tips if tip is None else (tip,))}
        return branches.pop() if len(branches) == 1 else ""


def pushed(
    repository: Repository, objects: Objects, remote: Remote, updates: Sequence[Update]
) -> Span:
    """Return what a push carries to a remote: all that isn't on one of its branches as last seen.

    A tag counts as the commit that it names; a deletion carries nothing, and neither does a tag of
    something else.
    """
    tips = []
    for update in updates:
        if update.tip is not None:
            commit = _peeled(objects, update.tip)
            if commit is not None:
                tips.append(Tip(commit, update.ref, update.branch))
    if not tips:
        return Span((), (), remote)
    listed = repository.run(
        "for-each-ref", "--format=%(objectname)", f"refs/remotes/{remote.name}/"
    )
    old = (update.old for update in updates if update.old is not None)
    known = [*listed.decode().split(), *(oid for oid in old if _peeled(objects, oid) is not None)]
    along = frozenset(update.tip for update in updates if update.tip is not None)
    return Span(tuple(tips), tuple(dict.fromkeys(known)), remote, along)


def named(repository: Repository, text: str, ref: str) -> Span:
    """Return the span that a person names: `main..HEAD`, `A...B`, or one revision for all of it.

    `ref` is where it is to go. Raises UsageError for what git doesn't know.
    """
    found = b""
    if text and not text.startswith("-"):
        asked = ("rev-parse", "--quiet", "--revs-only", text)
        found = repository.run(*asked, ok=(0, 1, 128))
    ids = found.decode(errors="replace").split()
    tips = tuple(Tip(oid, ref) for oid in ids if not oid.startswith("^"))
    if not tips:
        raise UsageError(
            f"git knows no range of commits {text}.", hint="Name one such as `origin/main..HEAD`."
        )
    return Span(tips, tuple(oid[1:] for oid in ids if oid.startswith("^")))


def not_contained(repository: Repository, commits: Iterable[str], span: Span) -> frozenset[str]:
    """Return which of the commits aren't contained in the span, nor in what is known."""
    wanted = frozenset(commits)
    if not wanted:
        return wanted
    have = (*(tip.commit for tip in span.tips), *span.known)
    asked = "".join((*(f"{oid}\n" for oid in wanted), *(f"^{oid}\n" for oid in have)))
    listed = repository.run("rev-list", "--stdin", stdin=asked.encode())
    return wanted & frozenset(listed.decode().split())


def _peeled(objects: Objects, oid: str) -> str | None:
    """Return the commit that an id is, or that a tag names; None where there is none here."""
    found = objects.find(f"{oid}^{{}}", 0)
    return found[0] if found is not None and found[1] == "commit" else None
