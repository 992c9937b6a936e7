"""What changed between two locks: fields, commits between the sources, files."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from lockship.audit.words import in_words
from lockship.git import Repository
from lockship.gitobjects import quoted
from lockship.lock.diff import Difference, differences
from lockship.lock.model import Lock
from lockship.lock.names import is_lockfile_name


class Between(Struct, frozen=True, rename="kebab"):
    """A commit between two sources. `side` is `+` where it came, `-` where it isn't in the new."""

    side: str
    commit: str
    author: str
    at: str
    subject: str


class Comparison(Struct, frozen=True, rename="kebab"):
    """What differs. `files` are as `git diff --name-status` writes them: `M app.py`.

    `words` say what `fields` do, for people. Of a service that is made of some paths only, commits
    and files are those that touch them. `missing` are the ids of objects that both would need, and
    that aren't here: then commits or files can't be told.
    """

    fields: tuple[Difference, ...]
    words: tuple[str, ...]
    commits: tuple[Between, ...]
    files: tuple[str, ...]
    missing: tuple[str, ...] = ()


_FORMAT = "%m%x00%H%x00%an <%ae>%x00%cI%x00%s"


def compare(repository: Repository, old: Lock, new: Lock) -> Comparison:
    """Compare two locks. Raises LockshipError where git fails."""
    missing = _missing(repository, old, new)
    fields, paths = differences(old, new), _paths(old, new)
    return Comparison(
        fields=fields,
        words=tuple(in_words(fields)),
        commits=()
        if missing
        else _commits(repository, old.source.commit, new.source.commit, paths),
        files=() if missing else _files(repository, _content(old), _content(new), paths),
        missing=missing,
    )


def patch(repository: Repository, old: Lock, new: Lock) -> bytes:
    """Return the difference of the two contents, as git writes it."""
    words = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative")
    return repository.run(*words, _content(old), _content(new), *_paths(old, new))


def _paths(old: Lock, new: Lock) -> tuple[str, ...]:
    """Return git's words for what both services are made of; nothing stands for all."""
    if not (old.source.paths and new.source.paths):
        return ()
    either = dict.fromkeys((*old.source.paths, *new.source.paths))
    return ("--", *(f":(top,literal){path}" for path in either))


def _content(lock: Lock) -> str:
    """Return a tree-ish with the locked content: a snapshot, else the commit with its lockfiles."""
    return lock.source.snapshot or lock.source.commit


def _missing(repository: Repository, old: Lock, new: Lock) -> tuple[str, ...]:
    wanted = [old.source.commit, new.source.commit, _content(old), _content(new)]
    with repository.objects() as objects:
        found = [oid for oid in dict.fromkeys(wanted) if objects.find(oid, 0) is None]
    return tuple(found)


def _commits(
    repository: Repository, old: str, new: str, paths: Sequence[str]
) -> tuple[Between, ...]:
    """Return the commits in one source's history and not in the other's, newest first."""
    words = ("log", "-z", "--left-right", "--no-show-signature", "--no-mailmap", "--no-color")
    said = repository.run(*words, f"--format={_FORMAT}", f"{old}...{new}", *paths).decode(
        errors="replace"
    )
    fields = said.removesuffix("\0").split("\0") if said else []
    rows = [fields[start : start + 5] for start in range(0, len(fields), 5)]
    return tuple(Between("-" if mark == "<" else "+", *rest) for mark, *rest in rows)


def _files(repository: Repository, old: str, new: str, paths: Sequence[str]) -> tuple[str, ...]:
    words = ("diff-tree", "-r", "-z", "--name-status", "--no-renames", "--ignore-submodules=none")
    said = repository.run(*words, old, new, *paths).split(b"\0")
    pairs = zip(said[::2], said[1::2], strict=False)
    return tuple(
        f"{letter.decode()} {quoted(path)}"
        for letter, path in pairs
        if not is_lockfile_name(path.rpartition(b"/")[2])
    )
