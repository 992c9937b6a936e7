"""What the verdict looks up: locks, commits and contents, each of them once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from lockship.git import Objects, Repository
from lockship.gitobjects import Commit, commit, find_entry
from lockship.history.content import Contents
from lockship.history.truth import Evidence, Truth, judge
from lockship.history.walk import LockChange
from lockship.hook.objection import Place
from lockship.hook.signature import signers_of
from lockship.hook.span import Span, Tip
from lockship.lock.model import Lock
from lockship.lock.names import LOCKFILE_NAME, is_lockfile_name
from lockship.lock.reader import MAX_BYTES, UnsoundLockError, parse


class Court:
    """Looks up in one repository, and keeps what was found."""

    def __init__(self, repository: Repository, objects: Objects) -> None:
        self.repository = repository
        self.objects = objects
        self._contents = Contents(objects)
        self._evidence = Evidence(repository, objects, self._contents)
        self._truths: dict[tuple[bytes, int, str], Truth] = {}
        self._locks: dict[str, Lock | None] = {}
        self._commits: dict[str, Commit] = {}
        self._known_signers: set[str] | None = None

    def truth(self, change: LockChange) -> Truth:
        """Return what is wrong with the lock that a commit brings (nothing: it removes one)."""
        if change.blob is None or change.mode is None:
            return Truth(None)
        key = (change.path, change.mode, change.blob)
        if key not in self._truths:
            self._truths[key] = found = judge(self._evidence, *key, change.before)
            self._locks[change.blob] = found.lock
        return self._truths[key]

    def before(self, change: LockChange) -> Lock | None:
        """Return the lock that was there before the commit; None where there was no sound one."""
        return self._lock(change.before) if change.before is not None else None

    def locks_of(self, oid: str) -> Iterator[tuple[bytes, Lock]]:
        """Yield the sound locks in a commit's tree, whatever folder they are in."""
        tree = self._commit(oid).tree
        asked = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", tree)
        for path in _lockfiles(self.repository.run(*asked)):
            entry = find_entry(self.objects.read, tree, path)
            lock = self._lock(entry.id) if entry is not None and entry.is_lockfile else None
            if lock is not None:
                yield path, lock

    def content_of(self, oid: str, paths: Sequence[str] = ()) -> str:
        """Return the content tree of a commit: of all, or of what is at `paths`."""
        return self._contents.of(self._commit(oid).tree, paths)

    def other_signers(self, oid: str, known: Iterable[str]) -> bool:
        """Tell whether a commit's list of signers is in none of the `known` commits that have one.

        `known` are the same in every call.
        """
        if self._known_signers is None:
            trees = [self.objects.find(f"{each}^{{tree}}", 0) for each in known]
            found = (signers_of(self.objects, tree[0]) for tree in trees if tree is not None)
            self._known_signers = {signers for signers in found if signers is not None}
        ours = signers_of(self.objects, self._commit(oid).tree)
        return bool(self._known_signers) and ours not in self._known_signers

    def is_older(self, lock: Lock, before: Lock, oid: str) -> bool:
        """Tell whether a commit puts an older lock back: its source comes before that of `before`.

        A lock of the content that it is committed with is no rollback, whatever was there before.
        """
        old, new = lock.source.commit, before.source.commit
        if old == new or lock.source.tree == self.content_of(oid, lock.source.paths):
            return False
        asked = ("merge-base", "--is-ancestor", old, new)
        # It prints nothing; its exit status is the answer, and 128 says that a commit isn't here.
        process = self.repository.start(*asked)
        process.communicate()
        return process.returncode == 0

    def place(self, change: LockChange, span: Span) -> Place:
        """Return where a change is."""
        said = change.commit
        tip = next((tip for tip in span.tips if tip.commit == said.id), None)
        alone = tip is not None and self._is_alone(said.id, said.parents)
        replaced = change.before is not None
        return Place(
            *(said.id, said.subject, change.path, said.parents, span.branch_of(tip)),
            *(alone, replaced, self._is_here(tip)),
        )

    def place_at(self, tip: Tip, path: bytes) -> Place:
        """Return where a lock is that the pushed tip didn't change."""
        said = self._commit(tip.commit)
        return Place(said.id, said.subject, path, said.parents, tip.branch, here=self._is_here(tip))

    def _is_here(self, tip: Tip | None) -> bool:
        """Tell whether a tip is what is checked out: then a command can mend it as it is."""
        asked = ("rev-parse", "--verify", "--quiet", "HEAD")
        head = self.repository.run(*asked, ok=(0, 1)).decode().strip()
        return tip is not None and tip.commit == head

    def _is_alone(self, oid: str, parents: tuple[str, ...]) -> bool:
        return len(parents) == 1 and self.content_of(oid) == self.content_of(parents[0])

    def _commit(self, oid: str) -> Commit:
        if oid not in self._commits:
            self._commits[oid] = commit(oid, self.objects.read(oid))
        return self._commits[oid]

    def _lock(self, blob: str) -> Lock | None:
        if blob not in self._locks:
            self._locks[blob] = None
            found = self.objects.find(blob, MAX_BYTES + 1)
            with suppress(UnsoundLockError):
                if found is not None and found[1] == "blob":
                    self._locks[blob] = parse(found[2], "the lock")
        return self._locks[blob]


def _lockfiles(names: bytes) -> list[bytes]:
    """Return the paths of what is called like a lockfile, of paths that end in NUL."""
    if LOCKFILE_NAME.encode() not in names:
        return []
    return [path for path in names.split(b"\0") if is_lockfile_name(path.rpartition(b"/")[2])]
