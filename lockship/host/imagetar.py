"""What is in an exported image: its configuration, its steps, and the files of its layers.

The formats are those of `docker image save` (moby, image/spec) and, for a layer, the OCI image
layer specification: a tar of what it adds, with `.wh.` names for what it removes.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Final

from msgspec import Struct

from lockship.errors import LockshipError

_CHUNK: Final = 1 << 17
_EXTRA: Final = "SCHILY.xattr."  # extended attributes, in a tar's extended headers


class Item(Struct, frozen=True):
    """A file, folder or link in a layer, without its times. `digest` is of its content."""

    kind: str
    mode: int
    owner: tuple[int, int]
    link: str
    device: tuple[int, int]
    extra: tuple[tuple[str, str], ...]
    size: int
    digest: str


class Layer(Struct, frozen=True):
    """One layer: its diff id, the step of the Dockerfile that made it, where its tar is."""

    diff_id: str
    step: str
    member: str


class Exported(Struct, frozen=True):
    """An image in a tar file: its configuration (OCI's `config`), platform and layers, in order."""

    path: Path
    config: Mapping[str, Any]
    platform: str
    layers: tuple[Layer, ...]

    def items(self, layer: Layer) -> dict[str, Item] | None:
        """Return what is in a layer, by path; None where its compression can't be read here."""
        with tarfile.open(self.path) as image, _member(image, layer.member) as data:
            try:
                with tarfile.open(fileobj=data, mode="r|*") as tar:
                    return {_path(each): _item(tar, each) for each in tar}
            except (tarfile.ReadError, OSError, EOFError):
                return None


def exported(chunks: Iterable[bytes], path: Path) -> Exported:
    """Write an image's export to a file, and read what it says of itself.

    Raises LockshipError where it isn't an export as known.
    """
    with path.open("wb") as file:
        file.writelines(chunks)
    try:
        with tarfile.open(path) as image:
            [listed] = json.loads(_member(image, "manifest.json").read())
            said = json.loads(_member(image, listed["Config"]).read())
        ids, members = said["rootfs"]["diff_ids"], listed["Layers"]
        layers = zip(ids, _steps(said, len(ids)), members, strict=True)
        names = (said.get("os"), said.get("architecture"), said.get("variant"))
        return Exported(
            path=path,
            config=said.get("config") or {},
            platform="/".join(name for name in names if name),
            layers=tuple(Layer(*each) for each in layers),
        )
    except (tarfile.TarError, KeyError, ValueError, TypeError) as error:
        raise LockshipError(
            "The engine's export of an image can't be read.", details=[repr(error)]
        ) from error


def _steps(said: Mapping[str, Any], layers: int) -> list[str]:
    """Return what made each layer; '' for those of which the history doesn't tell."""
    history = [each for each in said.get("history") or () if not each.get("empty_layer")]
    steps = [" ".join(str(each.get("created_by") or "").split()) for each in history]
    return steps if len(steps) == layers else [""] * layers


def _member(image: tarfile.TarFile, name: str) -> IO[bytes]:
    found = image.extractfile(name)  # follows a link to a layer that is there already
    if found is None:
        raise KeyError(name)
    return found


def _path(member: tarfile.TarInfo) -> str:
    return member.name.removeprefix("./").rstrip("/")


def _item(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Item:
    digest = hashlib.sha256()
    if member.isreg() and (data := tar.extractfile(member)) is not None:
        while chunk := data.read(_CHUNK):
            digest.update(chunk)
    extra = {k: str(v) for k, v in member.pax_headers.items() if k.startswith(_EXTRA)}
    return Item(
        kind=member.type.decode("latin-1"),
        mode=member.mode,
        owner=(member.uid, member.gid),
        link=member.linkname,
        device=(member.devmajor, member.devminor),
        extra=tuple(sorted(extra.items())),
        size=member.size,
        digest=digest.hexdigest(),
    )
