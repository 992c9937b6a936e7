"""The tables of a lock on the image: how it is built, what it is called, what came of it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from lockship.lock.names import (
    BaseReference,
    CacheEntry,
    Digest,
    EnvName,
    HostName,
    Pin,
    Repository,
    SshId,
    Tag,
    TreePath,
)
from lockship.lock.table import Table


class Build(Table, frozen=True):
    """How the image is built from the content tree.

    `secrets` are names in `[secrets]`. `ssh`: the agents that the build may ask, True for the usual
    one. `cache_from` and `cache_to` are as buildx takes them; they, and the `host` whose engine
    builds, are no part of the build key.
    """

    context: TreePath = "."
    dockerfile: TreePath = "Dockerfile"
    target: str | None = None
    args: dict[EnvName, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    secrets: tuple[EnvName, ...] = ()
    ssh: bool | Annotated[tuple[SshId, ...], Meta(min_length=1)] | None = None
    cache_from: tuple[CacheEntry, ...] = ()
    cache_to: tuple[CacheEntry, ...] = ()
    provenance: bool | Literal["max"] | None = None
    sbom: bool | None = None
    host: str | None = None


class LockedBuild(Build, frozen=True):
    """The same, with the pin of each image from elsewhere that the Dockerfile names (`base`).

    `host` is the name of one of `[hosts]`.
    """

    host: HostName | None = None
    base: dict[BaseReference, Pin] = field(default_factory=dict)


class Image(Table, frozen=True):
    """What the image is called. It is pushed when `repository` begins with a registry's name.

    With `digest` it is one that somebody else built: nothing is built or pushed, and `tag` is the
    version's name alone.
    """

    repository: Repository
    tag: Tag
    digest: Digest | None = None

    @property
    def reference(self) -> str:
        """`repository:tag`, or `repository@sha256:...` of one that isn't built."""
        if self.digest is not None:
            return f"{self.repository}@{self.digest}"
        return f"{self.repository}:{self.tag}"

    @property
    def registry(self) -> str | None:
        """The registry's host and port, by Docker's rule; None when there is none.

        The first part of a name is a registry when it holds '.' or ':' or is 'localhost'
        (github.com/distribution/reference, normalize.go, splitDockerDomain).
        """
        first, slash, _ = self.repository.partition("/")
        named = "." in first or ":" in first or first == "localhost"
        return first if slash and named else None


def familiar(repository: str) -> str:
    """Return a repository's name as an engine lists it: Docker Hub's own name isn't in front.

    github.com/distribution/reference, normalize.go, familiarizeName.
    """
    path = repository
    for hub in ("docker.io/", "index.docker.io/"):
        path = path.removeprefix(hub)
    official = path.removeprefix("library/")
    return official if "/" not in official else path


class Artifact(Table, frozen=True):
    """What `build` made. `key` names what it was built from (`lock.fingerprint.build_key`)."""

    key: Digest
    image_id: Digest
    digest: Digest | None = None
