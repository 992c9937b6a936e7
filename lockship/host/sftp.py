"""Files on a host over SFTP. Paths are relative to the login user's home, or absolute.

Far hosts are waited for, not slow ones: each function takes as few round trips as it can.
"""

from __future__ import annotations

import posixpath
import secrets
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import paramiko
from paramiko import sftp as protocol

from lockship.host.link import UNFINISHED
from lockship.host.pipeline import BLOCK, ask, encoded, let_go

_AT_ONCE: Final = 64  # blocks on their way at the same time: 2 MiB


def read_all(sftp: paramiko.SFTPClient, paths: Sequence[str]) -> list[bytes | None]:
    """Return the content of files; None for one that isn't there. Two round trips for small ones.

    The kernel's files say that they are empty, and end where they end.
    """
    flags = (protocol.SFTP_FLAG_READ, paramiko.SFTPAttributes())
    opened = ask(sftp, [(protocol.CMD_OPEN, encoded(path), *flags) for path in paths])
    files = [None if isinstance(each, FileNotFoundError) else _File(each) for each in opened]
    open_files = [file for file in files if file is not None and file.error is None]
    try:
        _raise(each.error for each in files if each is not None)
        while unread := [file for file in open_files if not file.ended]:
            asked = [(file, file.requests()) for file in unread]
            told = iter(ask(sftp, [request for _, requests in asked for request in requests]))
            for file, requests in asked:
                file.take([next(told) for _ in requests])
            _raise(file.error for file in unread)
    finally:
        let_go(sftp, [file.handle for file in open_files])
    return [None if file is None else bytes(file.content) for file in files]


class _File:
    """A file that is being read: what of it is there, and what to ask for next."""

    def __init__(self, opened: Any) -> None:
        self.error = opened if isinstance(opened, Exception) else None
        self.handle = b"" if self.error else opened.get_binary()
        self.content = bytearray()
        self.ended = False
        self._size: int | None = None

    def requests(self) -> list[tuple[Any, ...]]:
        """Ask for its size and the first block; then for all that is missing."""
        here = len(self.content)
        end = min(max(self._size or 0, here + 1), here + _AT_ONCE * BLOCK)
        asked = [
            (protocol.CMD_READ, self.handle, protocol.int64(at), BLOCK)
            for at in range(here, end, BLOCK)
        ]
        return asked if self._size is not None else [(protocol.CMD_FSTAT, self.handle), *asked]

    def take(self, answers: list[Any]) -> None:
        """Keep what came, up to the first block that is shorter than it could be."""
        if self._size is None:
            size = answers.pop(0)
            attributes = paramiko.SFTPAttributes
            told = 0 if isinstance(size, Exception) else attributes._from_msg(size).st_size  # type: ignore[attr-defined]
            self._size = told or 0
        for answer in answers:
            if isinstance(answer, EOFError):
                self.ended = True
                return
            if isinstance(answer, Exception):
                self.error = answer
                return
            data = answer.get_binary()
            self.content += data
            if not data:  # no server should say so; asked again, it would for ever
                self.ended = True
                return
            if len(data) < BLOCK:
                break
        self.ended = 0 < self._size <= len(self.content)


def read_tail(sftp: paramiko.SFTPClient, path: str, size: int) -> bytes:
    """Return at most a file's last `size` bytes; none when there is no file."""
    flags = (protocol.SFTP_FLAG_READ, paramiko.SFTPAttributes())
    found, opened = ask(
        sftp,
        [(protocol.CMD_STAT, encoded(path)), (protocol.CMD_OPEN, encoded(path), *flags)],
    )
    if isinstance(opened, FileNotFoundError):
        return b""
    _raise([found, opened])
    handle = opened.get_binary()
    try:
        end = paramiko.SFTPAttributes._from_msg(found).st_size or 0  # type: ignore[attr-defined]
        begin = max(0, end - size)
        blocks = ask(
            sftp,
            [
                (protocol.CMD_READ, handle, protocol.int64(at), min(BLOCK, end - at))
                for at in range(begin, end, BLOCK)
            ],
        )
        _raise(each for each in blocks if not isinstance(each, EOFError))
        return b"".join(each.get_binary() for each in blocks if not isinstance(each, EOFError))
    finally:
        let_go(sftp, [handle])


def write_beside(sftp: paramiko.SFTPClient, path: str, data: bytes, mode: int) -> str:
    """Write what is to replace a file beside it, and return its path; a half of it is removed."""
    # A name of its own: two writers at once must not write into the same unfinished file.
    unfinished = f"{path}.{secrets.token_hex(4)}{UNFINISHED}"
    flags = protocol.SFTP_FLAG_WRITE | protocol.SFTP_FLAG_CREATE | protocol.SFTP_FLAG_EXCL
    handle = _open(sftp, unfinished, flags)
    try:
        attributes = paramiko.SFTPAttributes()
        attributes.st_mode = mode  # before there is anything in it to read, whatever the umask
        _write(sftp, handle, data, [(protocol.CMD_FSETSTAT, handle, attributes)])
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell
            sftp.remove(unfinished)
        raise
    return unfinished


def rename(sftp: paramiko.SFTPClient, path: str, target: str) -> None:
    """Put a file in place of another one; where that can't be, remove it."""
    try:
        sftp.posix_rename(path, target)
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell
            sftp.remove(path)
        raise


def append(sftp: paramiko.SFTPClient, path: str, line: bytes) -> None:
    """Append in one write: the server's O_APPEND keeps lines of several writers apart."""
    flags = protocol.SFTP_FLAG_WRITE | protocol.SFTP_FLAG_CREATE | protocol.SFTP_FLAG_APPEND
    _write(sftp, _open(sftp, path, flags), line, [])


def names(sftp: paramiko.SFTPClient, path: str) -> list[str]:
    """Return the names in a folder, sorted; none when there is no folder."""
    (opened,) = ask(sftp, [(protocol.CMD_OPENDIR, encoded(path))])
    if isinstance(opened, FileNotFoundError):
        return []
    _raise([opened])
    handle = opened.get_binary()
    found: list[str] = []
    try:
        while True:
            # Most often all names are in the first answer, and the second says so.
            for answer in ask(sftp, [(protocol.CMD_READDIR, handle)] * 2):
                if isinstance(answer, EOFError):
                    return sorted(found)
                _raise([answer])
                found += _names(answer)
    finally:
        let_go(sftp, [handle])


def read_folder(sftp: paramiko.SFTPClient, path: str, ending: str) -> dict[str, bytes]:
    """Return by name a folder's files whose names end so; none when there is no folder."""
    found = [name for name in names(sftp, path) if name.endswith(ending)]
    texts = zip(found, read_all(sftp, [f"{path}/{name}" for name in found]), strict=True)
    return {name: text for name, text in texts if text is not None}


def remove(sftp: paramiko.SFTPClient, path: str) -> None:
    """Remove a file; a gone one is fine."""
    try:
        sftp.remove(path)
    except FileNotFoundError:
        return


def make_folders(sftp: paramiko.SFTPClient, path: str) -> None:
    """Make a folder and what is missing above it, readable for the login user only."""
    if not path or path == "/":
        return
    try:
        sftp.mkdir(path, 0o700)
    except FileNotFoundError:
        make_folders(sftp, posixpath.dirname(path))
        sftp.mkdir(path, 0o700)
    except OSError:
        # SFTP says no more than "Failure" when it exists already.
        if not stat.S_ISDIR(sftp.stat(path).st_mode or 0):
            raise


def _open(sftp: paramiko.SFTPClient, path: str, flags: int) -> bytes:
    """Open a file to write, making its folders where they are missing; a new one is ours alone."""
    attributes = paramiko.SFTPAttributes()
    attributes.st_mode = 0o600
    request = (protocol.CMD_OPEN, encoded(path), flags, attributes)
    (opened,) = ask(sftp, [request])
    if isinstance(opened, FileNotFoundError):
        make_folders(sftp, posixpath.dirname(path))
        (opened,) = ask(sftp, [request])
    _raise([opened])
    return bytes(opened.get_binary())


def _write(
    sftp: paramiko.SFTPClient, handle: bytes, data: bytes, first: list[tuple[Any, ...]]
) -> None:
    """Write and close; raise the first error that the server tells, a full disk's among them."""
    blocks = [
        (protocol.CMD_WRITE, handle, protocol.int64(at), data[at : at + BLOCK])
        for at in range(0, len(data), BLOCK)
    ]
    requests = [*first, *blocks, (protocol.CMD_CLOSE, handle)]
    answers: list[Any] = []
    for begin in range(0, len(requests), _AT_ONCE):
        answers += ask(sftp, requests[begin : begin + _AT_ONCE])
    _raise(answers)


def _names(answer: paramiko.Message) -> list[str]:
    found = []
    for _ in range(answer.get_int()):
        name = answer.get_text()
        answer.get_text()  # as `ls -l` would show it
        paramiko.SFTPAttributes._from_msg(answer)  # type: ignore[attr-defined]
        found.append(name)
    return [name for name in found if name not in (".", "..")]


def _raise(answers: Iterable[Any]) -> None:
    for each in answers:
        if isinstance(each, Exception):
            raise each
