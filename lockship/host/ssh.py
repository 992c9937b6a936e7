"""A host over SSH: one Fabric connection, and channels on it for everything."""

from __future__ import annotations

import errno
import posixpath
import shlex
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final, Literal, TypeVar

import fabric
import paramiko

from lockship.host import sftp
from lockship.host.ahead import ahead
from lockship.host.channel import ChannelSocket, SocketLike
from lockship.host.diagnose import gone, no_engine
from lockship.host.errors import HostError
from lockship.host.guard import within
from lockship.host.link import Folder, Looked
from lockship.host.process import ChannelProcess, Process
from lockship.host.reader import COMMAND, Reader, Unread
from lockship.host.session import open_session

_DIAL_ENGINE: Final = "exec docker system dial-stdio"
_T = TypeVar("_T")


class SshLink:
    """An open connection to one host. Opening a channel never takes longer than `limit` seconds."""

    def __init__(self, host: str, connection: fabric.Connection, limit: float) -> None:
        self._host = host
        self._connection = connection
        self._transport: paramiko.Transport = connection.transport
        self._limit = limit
        self._engine: Future[paramiko.Channel] | None = None
        self._sftp: Future[paramiko.SFTPClient] | None = None
        self._reader: Future[Reader] | None = None
        self._unread = False  # the reader couldn't: from then on SFTP does
        self._reading, self._using_sftp = threading.Lock(), threading.Lock()

    def begin(self, *, writing: bool) -> None:
        """See `Link`."""
        self._engine = ahead(lambda: self._run(_DIAL_ENGINE))
        self._reader = ahead(self._start_reader)
        if writing:
            self._sftp = ahead(self._start_sftp)

    def dial_engine(self, timeout: float) -> SocketLike:
        """See `Link`."""
        begun, self._engine = self._engine, None
        channel = begun.result() if begun else self._run(_DIAL_ENGINE)
        channel.settimeout(timeout)
        return ChannelSocket(channel, lambda channel: no_engine(self._host, channel))

    def dial(self, address: str, port: int, timeout: float) -> SocketLike:
        """See `Link`."""
        try:
            channel = self._transport.open_channel(
                "direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=timeout
            )
        except paramiko.ChannelException as error:
            raise _refused_dial(self._host, error) from error
        except paramiko.SSHException as error:
            if not self._transport.is_active():
                raise gone(self._host) from error
            raise TimeoutError(f"no connection within {timeout:g} s") from error
        except EOFError as error:
            raise gone(self._host) from error
        channel.settimeout(timeout)
        return ChannelSocket(channel)

    def spawn(self, argv: Sequence[str]) -> Process:
        """See `Link`."""
        return ChannelProcess(self._run(shlex.join(argv)))

    def look(self, paths: Sequence[str], folders: Sequence[Folder]) -> Looked:
        """See `Link`."""
        return self._read(
            lambda reader: reader.look(paths, folders),
            lambda files: (
                sftp.read_all(files, paths),
                [sftp.read_folder(files, *folder) for folder in folders],
            ),
        )

    def read_tail(self, path: str, size: int) -> bytes:
        """See `Link`."""
        with self._files() as files:
            return sftp.read_tail(files, path, size)

    def write_beside(self, path: str, data: bytes, mode: int) -> str:
        """See `Link`."""
        with self._files() as files:
            return sftp.write_beside(files, path, data, mode)

    def rename(self, path: str, target: str) -> None:
        """See `Link`."""
        with self._files() as files:
            sftp.rename(files, path, target)

    def append_line(self, path: str, line: bytes) -> None:
        """See `Link`."""
        with self._files() as files:
            sftp.append(files, path, line)

    def list_folder(self, path: str) -> list[str]:
        """See `Link`."""
        with self._files() as files:
            return sftp.names(files, path)

    def remove_file(self, path: str) -> None:
        """See `Link`."""
        with self._files() as files:
            sftp.remove(files, path)

    def absolute(self, path: str) -> str:
        """See `Link`."""
        home = self._read(lambda reader: reader.home(), lambda files: files.normalize("."))
        return posixpath.join(home, path)

    def close(self) -> None:
        """See `Link`."""
        close(self._connection)

    def _run(self, what: str, kind: Literal["exec", "subsystem"] = "exec") -> paramiko.Channel:
        with within(self._limit, self._host, "a request over ssh", self._transport.close):
            channel = open_session(self._transport, kind, what)
        channel.settimeout(self._limit)
        return channel

    def _read(
        self, by_reader: Callable[[Reader], _T], by_sftp: Callable[[paramiko.SFTPClient], _T]
    ) -> _T:
        with self._reading:
            if not self._unread:
                self._reader = self._reader or ahead(self._start_reader)
                try:
                    return by_reader(self._reader.result())
                except (Unread, paramiko.ChannelException):  # sshd may allow few channels
                    self._unread = True
                except BaseException:
                    self._unread = True  # what it may still say isn't the next question's answer
                    raise
        with self._files() as files:
            return by_sftp(files)

    def _start_reader(self) -> Reader:
        return Reader(ChannelProcess(self._run(shlex.join(COMMAND))), self._limit)

    def _start_sftp(self) -> paramiko.SFTPClient:
        with within(self._limit, self._host, "sftp", self._transport.close):
            channel = self._run("sftp", "subsystem")
            try:
                return paramiko.SFTPClient(channel)
            except (EOFError, paramiko.SSHException):
                if not self._transport.is_active():
                    raise
                raise HostError(
                    self._host,
                    "refused",
                    "sshd doesn't offer files (sftp)",
                    hint="on the host, in /etc/ssh/sshd_config: Subsystem sftp internal-sftp",
                ) from None

    @contextmanager
    def _files(self) -> Iterator[paramiko.SFTPClient]:
        """Give the SFTP client to one thread at a time."""
        with self._using_sftp:
            begun = self._sftp or ahead(self._start_sftp)
            self._sftp = None
            files = begun.result()
            self._sftp = begun
            yield files


def close(connection: fabric.Connection) -> None:
    """Close a connection and what it goes through, also a half-open one."""
    for each in chain(connection):
        each.client.close()


def chain(connection: fabric.Connection) -> list[fabric.Connection]:
    """Return the connection and the jump hosts before it, nearest to the target first."""
    found = [connection]
    while isinstance(found[-1].gateway, fabric.Connection):
        found.append(found[-1].gateway)
    return found


def _refused_dial(host: str, error: paramiko.ChannelException) -> Exception:
    """Return what a socket would raise for a TCP connection that sshd couldn't or wouldn't make."""
    if error.code == 1:  # RFC 4254, 5.1: administratively prohibited
        return HostError(
            host,
            "refused",
            "sshd doesn't open connections to containers, which a probe needs",
            hint="on the host, in /etc/ssh/sshd_config: AllowTcpForwarding local",
        )
    return ConnectionRefusedError(errno.ECONNREFUSED, "connection refused")  # or no route to it
