"""What is pushed, as git tells its pre-push hook, and as frameworks of hooks pass it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lockship.errors import UsageError
from lockship.git import Repository


@dataclass(frozen=True, slots=True)
class Update:
    """A ref that is pushed. `tip` is what it becomes (None: deleted), `old` what the remote has.

    `old` may be an object that isn't here: somebody else pushed meanwhile. `branch` is the local
    one that is pushed, where it is one.
    """

    ref: str
    tip: str | None
    old: str | None = None
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Remote:
    """Where it is pushed to. `name` is a remote's, or the URL itself where it has no name."""

    name: str
    url: str


def parse_updates(text: str) -> tuple[Update, ...]:
    """Parse pre-push's standard input (githooks(5)): local ref and id, remote ref and id a line.

    A local "ref" is whatever the person wrote, spaces too. Raises UsageError for anything else.
    """
    updates = []
    for line in text.removesuffix("\n").split("\n") if text else ():  # a name may hold U+2028
        parts = line.rsplit(" ", 3)
        if len(parts) != 4 or not all(_is_id(part) for part in (parts[1], parts[3])):
            raise UsageError(
                "Standard input isn't what git gives to a pre-push hook.",
                hint="Let git run it: `lockship hook install`.",
            )
        updates.append(Update(parts[2], _real(parts[1]), _real(parts[3]), _branch(parts[0])))
    return tuple(updates)


def framework_updates(
    repository: Repository, environ: Mapping[str, str]
) -> tuple[Remote, tuple[Update, ...]] | None:
    """Return what the pre-commit framework (or prek) says is pushed; None where it isn't there.

    Its hooks get no standard input but variables (pre-commit.com, "pre-commit during push"), for
    the first of the refs that are pushed. Without a TO_REF the whole branch is new.
    """
    if "PRE_COMMIT_REMOTE_NAME" not in environ:
        return None
    branch = environ.get("PRE_COMMIT_REMOTE_BRANCH", "")
    local = environ.get("PRE_COMMIT_LOCAL_BRANCH", "")
    tip = _commit(repository, environ.get("PRE_COMMIT_TO_REF") or local)
    if tip is None or not branch:
        raise UsageError("The framework of hooks doesn't say what is pushed.")
    old = _commit(repository, environ.get("PRE_COMMIT_FROM_REF", ""))
    remote = Remote(environ["PRE_COMMIT_REMOTE_NAME"], environ.get("PRE_COMMIT_REMOTE_URL", ""))
    return remote, (Update(branch, tip, old, _branch(local)),)


def _commit(repository: Repository, name: str) -> str | None:
    if not name or name.startswith("-"):
        return None
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return repository.run(*asked, ok=(0, 1, 128)).decode().strip() or None


def _branch(local: str) -> str:
    return local.removeprefix("refs/heads/") if local.startswith("refs/heads/") else ""


def _is_id(text: str) -> bool:
    return len(text) == 40 and not text.strip("0123456789abcdef")


def _real(oid: str) -> str | None:
    return oid if oid.strip("0") else None
