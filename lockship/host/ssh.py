"""A host over SSH: one Fabric connection, and channels on it for everything."""

from __future__ import annotations

import errno
import posixpath
import shlex
from collections.abc import Sequence
from typing import Final

import fabric
import paramiko

from lockship.host import sftp
from lockship.host.channel import ChannelSocket, SocketLike
from lockship.host.diagnose import gone, no_engine
from lockship.host.errors import HostError
from lockship.host.guard import within
from lockship.host.process import ChannelProcess, Process

_DIAL_ENGINE: Final = "exec docker system dial-stdio"


class SshLink:
    """An open connection to one host. Opening a channel never takes longer than `limit` seconds."""

    def __init__(self, host: str, connection: fabric.Connection, limit: float) -> None:
        self._host = host
        self._connection = connection
        self._transport: paramiko.Transport = connection.transport
        self._limit = limit
        self._sftp: paramiko.SFTPClient | None = None

    def dial_engine(self, timeout: float) -> SocketLike:
        """See `Link`."""
        return ChannelSocket(
            self._run(_DIAL_ENGINE, timeout), lambda channel: no_engine(self._host, channel)
        )

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
        return ChannelProcess(self._run(shlex.join(argv), self._limit))

    def read_files(self, paths: Sequence[str]) -> list[bytes | None]:
        """See `Link`."""
        return sftp.read_all(self._files(), paths)

    def read_tail(self, path: str, size: int) -> bytes:
        """See `Link`."""
        return sftp.read_tail(self._files(), path, size)

    def write_file(self, path: str, data: bytes, mode: int) -> None:
        """See `Link`."""
        sftp.write(self._files(), path, data, mode)

    def append_line(self, path: str, line: bytes) -> None:
        """See `Link`."""
        sftp.append(self._files(), path, line)

    def list_folder(self, path: str) -> list[str]:
        """See `Link`."""
        return sftp.names(self._files(), path)

    def remove_file(self, path: str) -> None:
        """See `Link`."""
        sftp.remove(self._files(), path)

    def absolute(self, path: str) -> str:
        """See `Link`."""
        return posixpath.join(self._files().normalize("."), path)

    def close(self) -> None:
        """See `Link`."""
        close(self._connection)

    def _run(self, command: str, timeout: float) -> paramiko.Channel:
        with within(self._limit, self._host, "a request over ssh", self._transport.close):
            channel = self._transport.open_session()
            channel.settimeout(timeout)
            channel.exec_command(command)
        return channel

    def _files(self) -> paramiko.SFTPClient:
        if self._sftp is None:
            with within(self._limit, self._host, "sftp", self._transport.close):
                self._sftp = paramiko.SFTPClient.from_transport(self._transport)
            channel = self._sftp.get_channel() if self._sftp else None
            if self._sftp is None or channel is None:
                raise EOFError("no sftp")
            channel.settimeout(self._limit)
        return self._sftp


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
