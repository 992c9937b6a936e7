"""Check every committed lock against git's objects.

Nothing is taken from the audit's memory: each object is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lockship.audit.entry import Entry
from lockship.audit.finding import Finding
from lockship.audit.revisions import is_ancestor
from lockship.git import Repository
from lockship.history.content import Contents
from lockship.history.record import contradicts
from lockship.history.signatures import Signature
from lockship.history.truth import Evidence, judge
from lockship.lock.version import snapshot_ref

_DOUBTFUL = ("bad", "good, revoked key")


def verify(
    repository: Repository,
    found: Sequence[Entry],
    signatures: Mapping[str, Signature],
    *,
    whole: bool = False,
) -> list[Finding]:
    """Return everything about these states that doesn't hold, in their order.

    `signatures` are what git says of the signed commits; `whole`: no part of the history was left
    out, so that a lock that isn't among these states was never committed. Raises LockshipError
    where git's own objects are damaged.
    """
    unkept = _unkept(repository, found)
    findings: list[Finding] = []
    known: dict[tuple[bytes, int, str], tuple[Finding, ...]] = {}
    with repository.objects() as objects:
        evidence = Evidence(repository, objects, Contents(objects))
        for entry in found:
            if not entry.is_state:
                findings += [_at(entry, each) for each in _record(entry, signatures, whole=whole)]
            if entry.blob is None or entry.mode is None:
                continue
            key = (entry.file.rpartition(b"/")[2], entry.mode, entry.blob)
            if key not in known:
                known[key] = tuple(_judged(evidence, entry, entry.mode, entry.blob))
            beside = _beside(entry, unkept, signatures)
            findings += [_at(entry, each) for each in (*known[key], *beside)]
    return findings


def _judged(evidence: Evidence, entry: Entry, mode: int, blob: str) -> Iterator[Finding]:
    """Tell what is wrong with the lock itself: the same checks as before a push."""
    for each in judge(evidence, entry.file, mode, blob, entry.before).findings:
        yield Finding(
            about="lock", kind=each.kind, what=each.what, hint=each.hint, field=each.field or None
        )


def _beside(
    entry: Entry, unkept: frozenset[str], signatures: Mapping[str, Signature]
) -> Iterator[Finding]:
    """Tell what isn't about the lock's own text: its commit, and whether git keeps its source."""
    yield from _said(entry, signatures)
    lock = entry.lock
    if lock is None:
        return
    if lock.source.commit in unkept:
        yield Finding(
            about="lock", kind="unkept", field="source.commit",
            what=f"no branch or tag keeps commit {lock.source.commit[:12]}: git will remove it",
            hint=f"`git tag deployed/{lock.service.version} {lock.source.commit[:12]}`",
        )  # fmt: skip
    if lock.source.snapshot is not None and lock.source.snapshot in unkept:
        ref = snapshot_ref(lock.source.commit, lock.source.tree)
        yield Finding(
            about="lock", kind="unkept", field="source.snapshot",
            what=f"no ref keeps snapshot {lock.source.snapshot[:12]}: git will remove it",
            hint=f"`git update-ref {ref} {lock.source.snapshot[:12]}`",
        )  # fmt: skip


def _record(entry: Entry, signatures: Mapping[str, Signature], *, whole: bool) -> Iterator[Finding]:
    """Tell what is wrong with a commit that only records a deploy."""
    yield from _said(entry, signatures)
    if entry.lock is None and whole:
        version = entry.own.version if entry.own else None
        yield Finding(
            about="lock", kind="record",
            what=f"its message records a deploy of {version or 'a lock'}, never committed here",
            hint="Find that lock (the hosts keep it in `locks/`), and commit it.",
        )  # fmt: skip


def _said(entry: Entry, signatures: Mapping[str, Signature]) -> Iterator[Finding]:
    """Tell whether a commit says what isn't so, or is signed by somebody else."""
    said = signatures.get(entry.commit.id, "none")
    if said in _DOUBTFUL:
        yield Finding(
            about="lock", kind="signature", what=f"its commit's signature is {said}",
            hint="Ask who committed it.",
        )  # fmt: skip
    if entry.lock is not None and entry.own is not None and contradicts(entry.own, entry.lock):
        yield Finding(
            about="lock", kind="record", what="its commit's message records another lock",
            hint="Believe the lock; ask who committed it.",
        )  # fmt: skip


def _unkept(repository: Repository, found: Iterable[Entry]) -> frozenset[str]:
    """Return which sources and snapshots are here, but in the history of no ref."""
    asked = {
        oid
        for lock in (entry.lock for entry in found)
        if lock is not None
        for oid in (lock.source.commit, lock.source.snapshot)
        if oid is not None
    }
    here = _commits(repository, asked)
    if not here:
        return frozenset()
    words = ("rev-list", "--stdin", "--not", "--all", "HEAD")
    said = repository.run(*words, stdin="".join(f"{oid}\n" for oid in sorted(here)).encode())
    # rev-list goes by dates, and is wrong where a clock was: what it names is looked at one by one.
    return frozenset(oid for oid in set(said.decode().split()) & here if not _kept(repository, oid))


def _kept(repository: Repository, commit: str) -> bool:
    refs = repository.run("for-each-ref", "--count=1", f"--contains={commit}")
    return bool(refs) or is_ancestor(repository, commit, "HEAD")


def _commits(repository: Repository, asked: Iterable[str]) -> set[str]:
    names = sorted(asked)
    words = ("cat-file", "--batch-check=%(objecttype) %(objectname)")
    said = repository.run(*words, stdin="".join(f"{name}\n" for name in names).encode())
    pairs = [line.split() for line in said.decode().splitlines()]
    return {pair[1] for pair in pairs if pair[0] == "commit"}


def _at(entry: Entry, finding: Finding) -> Finding:
    """Say where a finding was made."""
    lock = entry.lock
    return Finding(
        about=finding.about, kind=finding.kind, what=finding.what, hint=finding.hint,
        field=finding.field, commit=entry.commit.id, path=entry.path,
        version=lock.service.version if lock else None,
    )  # fmt: skip
