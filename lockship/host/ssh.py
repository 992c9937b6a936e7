"""A host over SSH: one Fabric connection, and channels on it for everything."""

from __future__ import annotations

import errno
import logging
import shlex
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import fabric
import paramiko

from lockship.host import hostkeys, sftp, sshconfig
from lockship.host.channel import ChannelSocket, SocketLike
from lockship.host.diagnose import gone, no_engine
from lockship.host.errors import HostError
from lockship.host.guard import within
from lockship.host.identity import login_options
from lockship.host.process import ChannelProcess, Process
from lockship.lock.model import Host

_DIAL_ENGINE: Final = "exec docker system dial-stdio"
_WINDOW: Final = 1 << 22  # bytes in flight on one channel before the other side must confirm
_CIPHERS: Final = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")


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
        channel.settimeout(timeout)
        return ChannelSocket(channel)

    def spawn(self, argv: Sequence[str]) -> Process:
        """See `Link`."""
        return ChannelProcess(self._run(shlex.join(argv), self._limit))

    def read_file(self, path: str) -> bytes | None:
        """See `Link`."""
        return sftp.read(self._files(), path)

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

    def close(self) -> None:
        """See `Link`."""
        close(self._connection)

    def _run(self, command: str, timeout: float) -> paramiko.Channel:
        with within(self._limit, self._host, "a request over ssh", self._transport.close):
            channel = self._transport.open_session(timeout=self._limit)
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


def open_link(name: str, host: Host, limit: float) -> SshLink:
    """Connect, check the host's key and log in, all within `limit` seconds.

    Raises HostError for an unknown or changed host key and for a host that freezes; what else
    paramiko raises goes through `translate.boundary`.
    """
    if not host.keys:
        raise hostkeys.unknown(name)
    # paramiko logs what it also raises; without a handler Python would print it to stderr.
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    config = fabric.Config(ssh_config=sshconfig.load(name, host.user, host.port), lazy=True)
    connection = fabric.Connection(name, user=host.user, port=host.port, config=config)
    pins = hostkeys.Pinned(name, host.keys)
    # Fabric trusts whoever answers (AutoAddPolicy), so every client gets a policy of ours.
    connection.client.set_missing_host_key_policy(pins)
    _configure(connection, limit, pins.types)
    hop = connection.gateway
    while isinstance(hop, fabric.Connection):
        hop.client.set_missing_host_key_policy(paramiko.RejectPolicy())
        for file in _known_hosts(hop):
            hop.client.load_host_keys(file)
        _configure(hop, limit, ())
        hop = hop.gateway
    try:
        with within(limit, name, "ssh", lambda: close(connection)):
            connection.open()
    except BaseException:
        close(connection)
        raise
    _notice_death(connection.transport.sock)
    return SshLink(name, connection, limit)


def close(connection: fabric.Connection) -> None:
    """Close a connection and what it goes through, also a half-open one."""
    hop: Any = connection
    while isinstance(hop, fabric.Connection):
        hop.client.close()
        hop = hop.gateway


def _configure(connection: fabric.Connection, limit: float, key_types: Sequence[str]) -> None:
    connection.connect_timeout = None  # an int in Fabric; ours may be shorter than a second

    def transport(sock: Any, **more: Any) -> paramiko.Transport:
        made = paramiko.Transport(sock, default_window_size=_WINDOW, **more)
        options = made.get_security_options()
        # GCM needs no HMAC of its own, which paramiko would compute in Python.
        fast = [cipher for cipher in _CIPHERS if cipher in options.ciphers]
        options.ciphers = [*fast, *(name for name in options.ciphers if name not in fast)]
        if key_types:
            hostkeys.accept_types(made, key_types)
        return made

    files = connection.connect_kwargs.get("key_filename") or []
    connection.connect_kwargs = {
        **login_options(connection.ssh_config, files),
        "timeout": limit,
        # Later than the limit on the whole, which knows what to say.
        "banner_timeout": limit + 5,
        "auth_timeout": limit + 5,
        "channel_timeout": limit + 5,
        "transport_factory": transport,
    }


def _known_hosts(hop: fabric.Connection) -> list[str]:
    files = hop.ssh_config.get("userknownhostsfile", "~/.ssh/known_hosts").split()
    paths = [Path(file.strip('"')).expanduser() for file in files]
    return [str(path) for path in paths if path.is_file()]


def _notice_death(sock: Any) -> None:
    """Let the kernel end a connection whose other side vanished: about 30 s without an answer."""
    if not isinstance(sock, socket.socket) or sock.family == socket.AF_UNIX:
        return  # a channel of a jump host or a ProxyCommand: its own connection is looked after
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", 15),
        ("TCP_KEEPINTVL", 5),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", 30_000),
    ):
        if hasattr(socket, name):  # not every system has every one
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


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
