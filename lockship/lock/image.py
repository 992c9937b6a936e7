"""The tables of a lock on the image: how it is built, what it is called, what came of it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from lockship.lock.names import (
    BaseReference,
    CacheEntry,
    Digest,
    EnvName,
    HostName,
    ImageReference,
    Pin,
    Repository,
    SshId,
    Tag,
    TreePath,
)
from lockship.lock.platform import Platform, plain
from lockship.lock.table import Table


class Build(Table, frozen=True):
    """How the image is built from the content tree.

    `secrets` are names in `[secrets]`. `ssh`: the agents that the build may ask, True for the usual
    one. `sbom` may name the image that makes it. `cache_from` and `cache_to` are as buildx takes
    them; they, and the `host` whose engine builds, are no part of the build key.
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
    sbom: bool | ImageReference | None = None
    host: str | None = None


class LockedBuild(Build, frozen=True):
    """The same, with the pin of each image from elsewhere that the Dockerfile names (`base`).

    `host` is the name of one of `[hosts]`. Where several platforms are built for,
    `base_platforms` has what each of these images is for each platform: it follows from `base`.
    """

    host: HostName | None = None
    base: dict[BaseReference, Pin] = field(default_factory=dict)
    base_platforms: dict[BaseReference, Annotated[dict[Platform, Pin], Meta(min_length=1)]] = field(
        default_factory=dict
    )


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


def what_runs(image: Image, artifact: Artifact) -> str:
    """Return what hosts run: the name with its digest, or an image's id.

    Of several platforms that is their index; without one it's each one's, in one line.
    """
    if artifact.digest is not None:
        return f"{image.repository}@{artifact.digest}"
    each = (f"{image.repository}@{m.digest}" if m.digest else m.image_id for m in artifact.images)
    return " ".join(each)


def familiar(repository: str) -> str:
    """Return a repository's name as an engine lists it: Docker Hub's own name isn't in front.

    github.com/distribution/reference, normalize.go, familiarizeName.
    """
    path = repository
    for hub in ("docker.io/", "index.docker.io/"):
        path = path.removeprefix(hub)
    official = path.removeprefix("library/")
    return official if "/" not in official else path


class Made(Table, frozen=True):
    """One image that `build` made: its id in the engine, its manifest's digest in the registry.

    An engine that keeps its images in containerd knows one by its manifest's digest, others by its
    configuration's: that is `config`, where the engine that built is of the first kind.
    """

    image_id: Digest
    digest: Digest | None = None
    config: Digest | None = None

    @property
    def ids(self) -> tuple[str | None, str | None]:
        """Its id in an engine with a storage driver, and in one with containerd; None: unknown."""
        by_manifest = self.config is not None or self.image_id == self.digest
        if by_manifest:
            return self.config, self.image_id
        return self.image_id, self.digest

    def known(self, *, by_manifest: bool) -> Made:
        """Return it with the id that an engine of this kind gives it, as far as that is known."""
        return replace(self, image_id=self.ids[by_manifest] or self.image_id)


class Artifact(Table, frozen=True):
    """What `build` made. `key` names what it was built from (`lock.fingerprint.build_key`).

    Either one image, with `image_id`, or one for each of several `platforms`; `digest` is then that
    of their index, where the registry has one.
    """

    key: Digest
    image_id: Digest | None = None
    digest: Digest | None = None
    config: Digest | None = None
    platforms: dict[Platform, Made] = field(default_factory=dict)

    @property
    def images(self) -> tuple[Made, ...]:
        """Every image that was made, in the lock's order."""
        if self.image_id is not None:
            return (Made(image_id=self.image_id, digest=self.digest, config=self.config),)
        return tuple(self.platforms.values())

    @property
    def image_ids(self) -> frozenset[str]:
        """Every id that one of them has in some engine."""
        return frozenset(each for made in self.images for each in made.ids if each is not None)

    def alike(self, image_id: str) -> tuple[str, ...]:
        """Return every id of the image that has this one in some engine, this one first."""
        found = (set(made.ids) for made in self.images if image_id in made.ids)
        others = {each for ids in found for each in ids if each is not None} - {image_id}
        return image_id, *sorted(others)

    def of(self, platform: str) -> Made | None:
        """Return the image for a platform: the only one, or None where none was made for it."""
        if not self.platforms:
            return next(iter(self.images), None)
        wanted = plain(platform)
        found = (made for name, made in self.platforms.items() if plain(name) == wanted)
        return next(found, None)
