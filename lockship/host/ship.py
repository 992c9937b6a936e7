"""An image over SSH: exported once here, and to each host only the layers that it lacks.

A docker engine that loads an image tar doesn't open the file of a layer whose chain it has already
(moby, image/tarexport/load.go), so those files can be left out.
"""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from msgspec import Struct

from lockship.host import questions
from lockship.host.errors import HostError
from lockship.host.images import Check, go_on
from lockship.host.server import Server
from lockship.host.types import ImageInfo

_CHUNK: Final = 1 << 17
_NOT_NEEDED: Final = ("/json", "/VERSION", "repositories", "oci-layout", "index.json")
_RETRY_WHOLE: Final = ("refused", "image")  # kinds of error that a whole export may help against


class Spool(Struct, frozen=True):
    """One image, taken out of the local engine: its configuration, and files of some layers.

    `layers` maps diff ids to files; it is None when the engine's export can't be cut (the
    containerd image store keeps images in another form), and then the whole export is sent.
    """

    source: Server
    image: ImageInfo
    tags: tuple[str, ...]
    config: bytes
    layers: Mapping[str, Path] | None


def missing_layers(server: Server, image: ImageInfo) -> frozenset[str]:
    """Return the diff ids of the layers that `server` doesn't have.

    A layer is there only with the whole chain below it: what follows the longest beginning that
    some image there shares is missing.
    """
    shared = max((_shared(image.layers, known) for known in _all_layers(server)), default=0)
    return frozenset(image.layers[shared:])


def _all_layers(server: Server) -> set[tuple[str, ...]]:
    """Return the layers of every image there, as diff ids from the base up, in two round trips."""
    found = server.images({})
    images: list[ImageInfo | None] = server.ask(*(questions.image(each.id) for each in found))
    return {image.layers for image in images if image is not None}


def spool(
    source: Server,
    image_id: str,
    needed: frozenset[str],
    folder: Path,
    *,
    tags: Sequence[str] | None = None,
) -> Spool:
    """Export an image once, in constant memory, keeping in `folder` the layers that are `needed`.

    On the hosts it gets `tags`, by default those it has here.
    """
    image = source.image(image_id)
    if image is None:
        raise HostError(
            source.name, "image", f"no image {image_id[:19]}", hint="build it: lockship build"
        )
    names = tuple(tags) if tags is not None else image.tags
    files, manifest = _unpack(source.export(image_id), frozenset(image.layers) - needed, folder)
    config = _config(files, manifest, image)
    layers = _layers(files, manifest, image, needed) if config else None
    return Spool(source, image, names, config or b"", layers)


def feed(
    server: Server,
    spool: Spool,
    missing: frozenset[str],
    *,
    check: Check = go_on,
    wanted: str | None = None,
) -> int:
    """Send the image with its `missing` layers; return the number of bytes sent.

    `wanted` is its id there, where that isn't the one that it has here.

    `check` is called before each piece, and ends the sending by raising.
    When the engine doesn't take the cut image, the whole one is sent. Raises HostError when the
    image that is there afterwards isn't the same.
    """
    sent = _Count(check)
    wanted = wanted or spool.image.id
    if spool.layers is not None and missing <= spool.layers.keys():
        try:
            server.load(sent.count(_cut_tar(spool, missing)))
        except HostError as error:
            if error.kind not in _RETRY_WHOLE:
                raise
        if _arrived(server, spool, wanted):
            return sent.total
    server.load(sent.count(spool.source.export(spool.image.id)))
    if not _arrived(server, spool, wanted):
        raise HostError(
            server.name,
            "image",
            f"the image that arrived isn't {wanted[:19]}",
            hint="engines that keep images in containerd (`docker info`: driver-type) give one"
            " another id: let all hosts be of one kind, or push the image to a registry",
        )
    return sent.total


class _Count:
    def __init__(self, check: Check) -> None:
        self.total = 0
        self._check = check

    def count(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._check()
            self.total += len(chunk)
            yield chunk


def _arrived(server: Server, spool: Spool, wanted: str) -> bool:
    found = server.image(wanted)
    if found is None or found.id != wanted:
        return False
    for tag in spool.tags:
        if tag not in found.tags:
            server.tag(found.id, tag)
    return True


def _shared(ours: tuple[str, ...], theirs: tuple[str, ...]) -> int:
    pairs = zip(ours, theirs, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(ours), len(theirs)))


def _unpack(
    chunks: Iterator[bytes], unneeded: frozenset[str], folder: Path
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Write an export's members into `folder`, named by their SHA-256.

    Returns name to file, and the manifest. Members whose digest is in `unneeded` are dropped.
    """
    files: dict[str, Path] = {}
    links: dict[str, str] = {}
    manifest: dict[str, Any] = {}
    with tarfile.open(fileobj=io.BufferedReader(_Stream(chunks), _CHUNK), mode="r|") as tar:
        for member in tar:
            if member.issym():  # old exports: a layer that is there twice
                target = posixpath.join(posixpath.dirname(member.name), member.linkname)
                links[member.name] = posixpath.normpath(target)
            content = tar.extractfile(member) if member.isreg() else None
            if content is None or member.name.endswith(_NOT_NEEDED):
                continue
            if member.name == "manifest.json":
                manifest = json.load(content)[0]
            elif "sha256:" + posixpath.basename(member.name) not in unneeded:
                path = _keep(content, unneeded, folder)
                if path:
                    files[member.name] = path
    return files | {name: files[to] for name, to in links.items() if to in files}, manifest


def _keep(content: IO[bytes], unneeded: frozenset[str], folder: Path) -> Path | None:
    unfinished = folder / "unfinished"
    digest = hashlib.sha256()
    with unfinished.open("wb") as file:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
    if f"sha256:{digest.hexdigest()}" in unneeded:
        unfinished.unlink()
        return None
    return unfinished.rename(folder / digest.hexdigest())


def _config(
    files: Mapping[str, Path], manifest: Mapping[str, Any], image: ImageInfo
) -> bytes | None:
    """Return the image's configuration; None when the image's id isn't its digest."""
    path = files.get(str(manifest.get("Config")))
    return path.read_bytes() if path and f"sha256:{path.name}" == image.id else None


def _layers(
    files: Mapping[str, Path],
    manifest: Mapping[str, Any],
    image: ImageInfo,
    needed: frozenset[str],
) -> Mapping[str, Path] | None:
    names = manifest.get("Layers") or []
    if len(names) != len(image.layers):
        return None
    found = {
        diff: files[name] for diff, name in zip(image.layers, names, strict=True) if name in files
    }
    return found if needed <= found.keys() else None


def _cut_tar(spool: Spool, missing: frozenset[str]) -> Iterator[bytes]:
    """Return an image tar in `docker save`'s format with only the missing layers in it."""
    layers = spool.layers or {}
    config = spool.image.id.removeprefix("sha256:") + ".json"
    entry = {
        "Config": config,
        "RepoTags": list(spool.tags) or None,
        "Layers": [_layer_name(diff) for diff in spool.image.layers],
    }
    for name, data in (
        ("manifest.json", json.dumps([entry]).encode()),
        (config, spool.config),
    ):
        yield _header(name, len(data)) + data + _padding(len(data))
    for diff in dict.fromkeys(spool.image.layers):
        if diff in missing:
            size = layers[diff].stat().st_size
            yield _header(_layer_name(diff), size)
            with layers[diff].open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
            yield _padding(size)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _layer_name(diff: str) -> str:
    return diff.removeprefix("sha256:") + ".tar"


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


class _Stream(io.RawIOBase):
    """Pieces of bytes as a file to read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if not self._left:
            self._left = next(self._chunks, b"")
        taken = self._left[: len(buffer)]
        self._left = self._left[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)
