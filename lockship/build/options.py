"""What BuildKit is told of caches and attestations: pure functions of the lock's `[build]`.

The entries are buildx's own (docs.docker.com, "docker buildx build", --cache-from, --cache-to). A
client with BuildKit inside knows less: names of images to take layers from, and the inline cache,
which it writes into the image itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from lockship.build.client import Client
from lockship.errors import LockshipError
from lockship.lock.image import Build
from lockship.lock.mirrors import mirrored

# What each kind of cache finds its service by, of the environment of who builds.
_CACHE_ENV: Final = {
    "gha": ("ACTIONS_",),
    "s3": ("AWS_",),
    "azblob": ("BUILDKIT_AZURE_", "AZURE_"),
}
# The default of moby/buildkit, solver/llbsolver/bridge.go and frontend/attestations/sbom.
_SCANNER: Final = "docker/buildkit-syft-scanner:stable-1"
_INSTALL: Final = "Install docker-buildx (or docker-buildx-plugin)"


def options(
    client: Client, build: Build, mirrors: Mapping[str, str] = MappingProxyType({})
) -> tuple[str, ...]:
    """Return the words for caches and attestations; `mirrors` have the image that makes an SBOM.

    Raises LockshipError where this client can't do what the lock asks for.
    """
    if client.buildx:
        return tuple(_buildx(build, mirrors))
    return tuple(_inside(build))


def cache_env_prefixes(build: Build) -> tuple[str, ...]:
    """Return the beginnings of the variables that the caches of `build` need."""
    kinds = {kind(entry) for entry in (*build.cache_from, *build.cache_to)}
    return tuple(each for name in sorted(kinds & set(_CACHE_ENV)) for each in _CACHE_ENV[name])


def attributes(entry: str) -> dict[str, str]:
    """Read a cache entry; an image's name alone is one in a registry."""
    if "=" not in entry:
        return {"type": "registry", "ref": entry}
    pairs = (each.partition("=") for each in entry.split(","))
    return {key.strip().lower(): value for key, _, value in pairs}


def kind(entry: str) -> str:
    """Return what kind of cache an entry is: registry, inline, gha, ..."""
    return attributes(entry).get("type", "")


def _buildx(build: Build, mirrors: Mapping[str, str]) -> Iterator[str]:
    yield from (f"--cache-from={entry}" for entry in build.cache_from)
    yield from (f"--cache-to={entry}" for entry in build.cache_to)
    if build.provenance:
        mode = "max" if build.provenance == "max" else "min"
        yield f"--attest=type=provenance,mode={mode}"
    if build.sbom:
        # BuildKit's own default has a name that moves; it is named where a mirror has it.
        own = build.sbom if isinstance(build.sbom, str) else mirrored(_SCANNER, mirrors)
        generator = mirrored(own, mirrors) if own != _SCANNER else ""
        yield "--attest=type=sbom" + (f",generator={generator}" if generator else "")


def _inside(build: Build) -> Iterator[str]:
    for key, wanted in (("provenance", build.provenance), ("sbom", build.sbom)):
        if wanted:
            raise LockshipError(
                f"[build] {key} needs buildx, and the docker command here has none.",
                hint=f"{_INSTALL}, or take `{key}` out of lockship.toml.",
            )
    for entry in build.cache_from:
        said = attributes(entry)
        if said.get("type") != "registry" or "ref" not in said:
            raise _needs_buildx("cache-from", entry, "an image's name")
        yield f"--cache-from={said['ref']}"
    for entry in build.cache_to:
        if attributes(entry) != {"type": "inline"}:
            raise _needs_buildx("cache-to", entry, '"type=inline"')
        yield "--build-arg=BUILDKIT_INLINE_CACHE=1"


def _needs_buildx(key: str, entry: str, known: str) -> LockshipError:
    return LockshipError(
        f"[build] {key}: {entry!r} needs buildx, and the docker command here has none.",
        hint=f"{_INSTALL}, or use {known}, which this one knows too.",
    )
