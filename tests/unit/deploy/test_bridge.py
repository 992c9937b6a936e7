"""What is written down of bridged assets, also where a deploy is killed in the middle."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, cast

import pytest

from lockship.deploy.assets.bridge import bridge
from lockship.deploy.assets.steps import BridgeAssets
from lockship.host.server import Server

FOLDER = "/www/assets"


@dataclass
class Files:
    """A container's files, by path, as `host.inside` reads and writes them."""

    files: dict[str, bytes] = field(default_factory=dict)
    killed: bool = False

    def pack(self, path: str, into: IO[bytes]) -> bool:
        with tarfile.open(fileobj=into, mode="w:") as made:
            for name in sorted(each for each in self.files if each.startswith(f"{path}/")):
                entry = tarfile.TarInfo(name.removeprefix("/www/"))
                entry.size = len(self.files[name])
                made.addfile(entry, io.BytesIO(self.files[name]))
        into.seek(0)
        return True

    def unpack(self, folder: str, archive: IO[bytes]) -> None:
        with tarfile.open(fileobj=archive) as packed:
            for entry in packed:
                self.files[f"{folder}/{entry.name}"] = cast("Any", packed.extractfile(entry)).read()
        if self.killed:
            raise KeyboardInterrupt

    def put(self, folder: str, files: Mapping[str, bytes]) -> None:
        self.files |= {f"{folder}/{name}": data for name, data in files.items()}

    def read(self, folder: str) -> dict[str, bytes]:
        below = f"{folder}/"
        return {k.removeprefix(below): v for k, v in self.files.items() if k.startswith(below)}

    @property
    def names(self) -> str:
        """The names of its assets, one letter each."""
        return "".join(sorted(path[-1] for path in self.files if path.startswith(FOLDER)))


class Host(dict[str, Files]):
    """Containers by name."""

    def __init__(self) -> None:
        super().__init__({name: Files({f"{FOLDER}/{name}": b"."}) for name in "abcde"})

    inside = dict.__getitem__

    def between(self, new: str, *old: str) -> Iterator[str]:
        """Bridge, and yield what the new one has after each of the old ones."""
        for each in old:
            bridge(cast("Server", self), BridgeAssets(new, each, FOLDER))
            yield self[new].names


def test_what_was_borrowed_or_lent_is_not_passed_on() -> None:
    host = Host()
    assert list(host.between("b", "a")) == ["ab"]
    assert list(host.between("c", "b")) == ["bc"]
    assert host["b"].names == "abc"
    # The oldest one, which was lent b's files, serves again.
    assert list(host.between("d", "a")) == ["ad"]
    # Two that serve at once: nothing of either is passed on.
    assert list(host.between("e", "c", "d")) == ["ce", "cde"]
    host["n"] = Files({f"{FOLDER}/n": b"."})
    assert list(host.between("n", "e")) == ["en"]


def test_a_bridge_that_is_killed_is_finished_by_the_next() -> None:
    host = Host()
    host["b"].killed = True
    with pytest.raises(KeyboardInterrupt):
        list(host.between("b", "a"))
    host["b"].killed = False
    assert list(host.between("b", "a")) == ["ab"]
    assert list(host.between("c", "b")) == ["bc"], "and not a's, which b only borrowed"
