"""Files inside a container, by the engine's archive calls: no program of its image is needed."""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import docker

_CHUNK: Final = 1 << 16
Call = Callable[[str, "Callable[[docker.APIClient], Any]"], Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """A file for a container: its absolute path there, what is in it, its mode. It is root's."""

    path: str
    content: bytes
    mode: int


@dataclass(frozen=True, slots=True)
class Inside:
    """The files of one container, running or not. Methods raise HostError, as a server's do."""

    container: str
    call: Call

    def put(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Write files, by name, into a folder that only root may enter, made where it is missing.

        They are in the container's own layer: they stay when it stops, and go when it is removed.
        """
        data = _packed(folder.strip("/"), files)
        what = f"write into {self.container}"
        self.call(what, lambda api: api.put_archive(self.container, "/", data))

    def place(self, files: Iterable[Placed]) -> None:
        """Write files where they say; folders that aren't there are made, for all to read.

        They are in the container's own layer, or in the volume that is mounted there.
        """
        some = list(files)
        folders = {parent: self._is_there(parent) for each in some for parent in _parents(each)}
        data = _placed(some, sorted(path for path, there in folders.items() if not there))
        what = f"write into {self.container}"
        self.call(what, lambda api: api.put_archive(self.container, "/", data))

    def _is_there(self, path: str) -> bool:
        def ask(api: docker.APIClient) -> bool:
            from docker.errors import APIError

            url = f"{api.base_url}/v{api.api_version}/containers/{self.container}/archive"
            response = api.head(url, params={"path": path})
            if not response.ok and response.status_code != HTTPStatus.NOT_FOUND:
                raise APIError("archive", response, response.reason)
            return response.ok

        there: bool = self.call(f"look into {self.container}", ask)
        return there

    def pack(self, path: str, into: IO[bytes]) -> bool:
        """Write a file or folder into a file, as a tar; False where it isn't there.

        The names in it begin with the path's last part.
        """

        def ask(api: docker.APIClient) -> bool:
            response = _archive(api, self.container, path, stream=True)
            with response:
                if response.status_code == HTTPStatus.NOT_FOUND:
                    return False
                for chunk in response.iter_content(_CHUNK):
                    into.write(chunk)
            return True

        found: bool = self.call(f"read from {self.container}", ask)
        into.seek(0)
        return found

    def unpack(self, folder: str, archive: IO[bytes]) -> None:
        """Put a tar's files into a folder that is there."""
        what = f"write into {self.container}"
        self.call(what, lambda api: api.put_archive(self.container, folder, archive))

    def read(self, folder: str) -> dict[str, bytes]:
        """Return the files of a folder by name; none where there is no such folder."""

        def ask(api: docker.APIClient) -> bytes:
            response = _archive(api, self.container, folder, stream=False)
            missing = response.status_code == HTTPStatus.NOT_FOUND
            return b"" if missing else bytes(response.content)

        data: bytes = self.call(f"read from {self.container}", ask)
        return _unpacked(data) if data else {}


def _archive(api: docker.APIClient, container: str, path: str, *, stream: bool) -> Any:
    """Ask for a path's tar: sound, or a 404. Raises APIError.

    Not the SDK's `get_archive`: it looks for a socket inside, where there is a channel.
    """
    from docker.errors import APIError

    url = f"{api.base_url}/v{api.api_version}/containers/{container}/archive"
    response = api.get(url, params={"path": path}, stream=stream)
    if not response.ok and response.status_code != HTTPStatus.NOT_FOUND:
        raise APIError("archive", response, response.text)
    return response


def _packed(folder: str, files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(folder)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o700
        archive.addfile(entry)
        for name, content in files.items():
            entry = tarfile.TarInfo(posixpath.join(folder, name))
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _parents(file: Placed) -> list[str]:
    """Return the folders above a file, the root aside."""
    parts = posixpath.dirname(file.path).strip("/").split("/")
    return ["/" + "/".join(parts[:end]) for end in range(1, len(parts) + 1) if parts[0]]


def _placed(files: Iterable[Placed], folders: Iterable[str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in folders:
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for file in files:
            entry = tarfile.TarInfo(file.path.lstrip("/"))
            entry.size, entry.mode = len(file.content), file.mode
            archive.addfile(entry, io.BytesIO(file.content))
    return buffer.getvalue()


def _unpacked(data: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for entry in archive:
            file = archive.extractfile(entry) if entry.isreg() else None
            if file is not None:
                found[posixpath.basename(entry.name)] = file.read()
    return found
