"""Files on a host over SFTP. Paths are relative to the login user's home, or absolute."""

from __future__ import annotations

import posixpath
import secrets
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from lockship.host.link import UNFINISHED

if TYPE_CHECKING:
    import paramiko


def read(sftp: paramiko.SFTPClient, path: str) -> bytes | None:
    """Return a file's content; None when there is none."""
    try:
        with sftp.open(path, "rb") as file:
            file.prefetch()
            return file.read()
    except FileNotFoundError:
        return None


def read_tail(sftp: paramiko.SFTPClient, path: str, size: int) -> bytes:
    """Return at most a file's last `size` bytes; none when there is no file."""
    try:
        with sftp.open(path, "rb") as file:
            file.seek(max(0, (file.stat().st_size or 0) - size))
            return file.read()
    except FileNotFoundError:
        return b""


def write(sftp: paramiko.SFTPClient, path: str, data: bytes, mode: int) -> None:
    """Replace a file by a rename, so that a reader sees the old or the new one, never a part."""
    # A name of its own: two writers at once must not write into the same unfinished file.
    unfinished = f"{path}.{secrets.token_hex(4)}{UNFINISHED}"
    try:
        file = sftp.open(unfinished, "wx")
    except FileNotFoundError:
        make_folders(sftp, posixpath.dirname(path))
        file = sftp.open(unfinished, "wx")
    try:
        with file:
            file.chmod(mode)  # before there is anything in it to read
            # Not pipelined: paramiko then drops the answers to writes, a full disk's among them.
            file.write(data)
        sftp.posix_rename(unfinished, path)
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell
            sftp.remove(unfinished)
        raise


def append(sftp: paramiko.SFTPClient, path: str, line: bytes) -> None:
    """Append in one write: the server's O_APPEND keeps lines of several writers apart."""
    try:
        file = sftp.open(path, "ab")
    except FileNotFoundError:
        make_folders(sftp, posixpath.dirname(path))
        file = sftp.open(path, "ab")
    with file:
        if file.tell() == 0:
            file.chmod(0o600)
        file.write(line)


def names(sftp: paramiko.SFTPClient, path: str) -> list[str]:
    """Return the names in a folder, sorted; none when there is no folder."""
    try:
        return sorted(sftp.listdir(path))
    except FileNotFoundError:
        return []


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
