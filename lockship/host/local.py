"""This machine as a host: its own engine, sockets, files and programs."""

from __future__ import annotations

import errno
import os
import secrets
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lockship.host import engine_address
from lockship.host.channel import SocketLike
from lockship.host.link import UNFINISHED, Folder, Looked
from lockship.host.process import ChildProcess, Process


class LocalLink:
    """The way to this machine. Relative paths begin at the home folder, as on any host.

    `engine` is a URL, see `engine_address`.
    """

    def __init__(self, host: str, engine: str) -> None:
        self._host = host
        self._engine = engine
        self._home = Path.home()

    def begin(self, *, writing: bool) -> None:
        """Nothing takes a while here."""

    def dial_engine(self, timeout: float) -> SocketLike:
        """See `Link`."""
        return engine_address.dial(self._host, self._engine, timeout)

    def dial(self, address: str, port: int, timeout: float) -> SocketLike:
        """See `Link`."""
        return socket.create_connection((address, port), timeout)

    def spawn(self, argv: Sequence[str]) -> Process:
        """See `Link`."""
        return ChildProcess(
            subprocess.Popen(
                list(argv),
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._home,
                start_new_session=True,  # Ctrl-C is for lockship, which then ends it in order
            )
        )

    def look(self, paths: Sequence[str], folders: Sequence[Folder]) -> Looked:
        """See `Link`."""
        return [self._read(path) for path in paths], [self._folder(*each) for each in folders]

    def read_tail(self, path: str, size: int) -> bytes:
        """See `Link`."""
        try:
            with (self._home / path).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - size))
                return file.read()
        except FileNotFoundError:
            return b""

    def write_beside(self, path: str, data: bytes, mode: int) -> str:
        """See `Link`."""
        target = self._home / path
        _make_folders(target.parent)
        unfinished = target.with_name(f"{target.name}.{secrets.token_hex(4)}{UNFINISHED}")
        try:
            with unfinished.open("xb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        return str(unfinished)

    def rename(self, path: str, target: str) -> None:
        """See `Link`."""
        try:
            (self._home / path).replace(self._home / target)
        except BaseException:
            (self._home / path).unlink(missing_ok=True)
            raise

    def append_line(self, path: str, line: bytes) -> None:
        """See `Link`."""
        target = self._home / path
        _make_folders(target.parent)
        descriptor = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.write(descriptor, line) < len(line):  # what a nearly full disk has room for
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def list_folder(self, path: str) -> list[str]:
        """See `Link`."""
        try:
            return sorted(entry.name for entry in (self._home / path).iterdir())
        except FileNotFoundError:
            return []

    def remove_file(self, path: str) -> None:
        """See `Link`."""
        (self._home / path).unlink(missing_ok=True)

    def absolute(self, path: str) -> str:
        """See `Link`."""
        return str(self._home / path)

    def close(self) -> None:
        """Nothing is held open between calls."""

    def _folder(self, path: str, ending: str) -> dict[str, bytes]:
        names = [name for name in self.list_folder(path) if name.endswith(ending)]
        texts = {name: self._read(f"{path}/{name}") for name in names}
        return {name: text for name, text in texts.items() if text is not None}

    def _read(self, path: str) -> bytes | None:
        try:
            return (self._home / path).read_bytes()
        except FileNotFoundError:
            return None


def _make_folders(path: Path) -> None:
    for folder in reversed([path, *path.parents]):
        folder.mkdir(mode=0o700, exist_ok=True)
