"""The steps: small frozen data, so that a sequence can be kept in a file and played again."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct


class _Step(Struct, frozen=True, tag_field="do", omit_defaults=True):
    pass


class Write(_Step, frozen=True, tag="write"):
    path: str
    text: str


class Remove(_Step, frozen=True, tag="remove"):
    path: str


class Configure(_Step, frozen=True, tag="configure"):
    """Write lockship.toml."""

    motto: str = "none"
    label: str = "none"
    port: int = 8080
    misspelt: bool = False


class Stage(_Step, frozen=True, tag="stage"):
    """Add everything, lockfiles aside, to the index."""


class Commit(_Step, frozen=True, tag="commit"):
    """Commit everything, lockfiles aside."""


class CommitLock(_Step, frozen=True, tag="commit-lock"):
    """Commit `.shiplock` and nothing else."""


class Amend(_Step, frozen=True, tag="amend"):
    """Another message for HEAD, and what is staged along with it."""

    message: str


class Switch(_Step, frozen=True, tag="switch"):
    """Switch to a branch, a new one where it isn't there; git may refuse it."""

    branch: str


class Environment(_Step, frozen=True, tag="environment"):
    """From now on lockship runs with one of `ENVIRONMENTS`."""

    name: str


class Prepare(_Step, frozen=True, tag="prepare"):
    """`name` makes it a release of this name."""

    force: bool = False
    name: str | None = None


class Check(_Step, frozen=True, tag="check"):
    pass


class Build(_Step, frozen=True, tag="build"):
    pass


class Plan(_Step, frozen=True, tag="plan"):
    pass


class Deploy(_Step, frozen=True, tag="deploy"):
    pass


class Rollback(_Step, frozen=True, tag="rollback"):
    """Without `back` to the release before; with it to the version deployed `back` deploys ago."""

    back: int | None = None


class Forget(_Step, frozen=True, tag="forget"):
    """Remove what the builder has built, as on a new machine: images and build cache."""


Step = (
    Write
    | Remove
    | Configure
    | Stage
    | Commit
    | CommitLock
    | Amend
    | Switch
    | Environment
    | Prepare
    | Check
    | Build
    | Plan
    | Deploy
    | Rollback
    | Forget
)
Steps = tuple[Step, ...]

ENVIRONMENTS: Final[dict[str, dict[str, str]]] = {
    "plain": {},
    "version": {"VERSION": "9.9.9", "COMMIT": "feedface", "TAG": "latest"},
    "lockship": {"LOCKSHIP_VERSION": "1", "LOCKSHIP_SERVICE": "other", "LOCKSHIP_FORCE": "1"},
    "hook": {"GIT_DIR": "/nonexistent", "GIT_WORK_TREE": "/", "GIT_INDEX_FILE": "/nonexistent/i"},
    "author": {
        "GIT_AUTHOR_NAME": "Mallory",
        "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z",
        "GIT_COMMITTER_NAME": "Mallory",
        "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z",
    },
    "settings": {
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_0": "status.showUntrackedFiles",
        "GIT_CONFIG_VALUE_0": "no",
        "GIT_CONFIG_KEY_1": "core.autocrlf",
        "GIT_CONFIG_VALUE_1": "true",
        "GIT_CONFIG_KEY_2": "core.quotePath",
        "GIT_CONFIG_VALUE_2": "false",
    },
    "elsewhere": {"TZ": "Pacific/Auckland", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"},
}
UP: Final = "site/up"
"""Without this file the container ends at once: it never becomes healthy."""


def dump(steps: Steps) -> bytes:
    """A sequence as the text of a file."""
    return msgspec.json.format(msgspec.json.encode(steps), indent=2) + b"\n"


def load(path: Path) -> Steps:
    return msgspec.json.decode(path.read_bytes(), type=Steps)
