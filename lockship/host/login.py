"""Logging in to a host: limits, keys and host keys for Fabric's connection, and its jump hosts'."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import fabric
import paramiko

from lockship.host import hostkeys, sshconfig
from lockship.host.errors import HostError
from lockship.host.guard import within
from lockship.host.identity import login_options
from lockship.host.ssh import SshLink, chain, close
from lockship.lock.model import Host

_WINDOW: Final = 1 << 22  # bytes in flight on one channel before the other side must confirm
_UNSENT: Final = 1 << 16  # bytes that may wait in this machine's kernel to be sent
_CIPHERS: Final = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")


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
    answered = threading.Event()
    _configure(connection, limit, pins.types, answered)
    for hop in chain(connection)[1:]:
        hop.client.set_missing_host_key_policy(paramiko.RejectPolicy())
        for file in _known_hosts(hop):
            hop.client.load_host_keys(file)
        _configure(hop, limit, (), answered)
    try:
        with within(limit, name, "ssh", lambda: close(connection)):
            connection.open()
    except BaseException as error:
        close(connection)
        if isinstance(error, TimeoutError | HostError) and not answered.is_set():
            raise _no_answer(name, limit) from error
        raise
    for each in chain(connection):
        _tune(each.transport.sock)
    return SshLink(name, connection, limit)


def _configure(
    connection: fabric.Connection,
    limit: float,
    key_types: Sequence[str],
    answered: threading.Event,
) -> None:
    """Set limits, ciphers and keys to log in with; `answered` is set when TCP is connected."""
    connection.connect_timeout = None  # an int in Fabric; ours may be shorter than a second

    def transport(sock: Any, **more: Any) -> paramiko.Transport:
        answered.set()
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


def _tune(sock: Any) -> None:
    """Let the kernel keep queues short, and end a connection after 30 s without an answer."""
    if not isinstance(sock, socket.socket) or sock.family == socket.AF_UNIX:
        return  # a channel of a jump host or a ProxyCommand: its own connection is looked after
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        # What waits here unsent goes before the mutex's next heartbeat: with a slow line that would
        # be half a minute's worth. This keeps it short without making the line slower.
        ("TCP_NOTSENT_LOWAT", _UNSENT),
        ("TCP_KEEPIDLE", 15),
        ("TCP_KEEPINTVL", 5),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", 30_000),
    ):
        if hasattr(socket, name):  # not every system has every one
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _no_answer(host: str, limit: float) -> HostError:
    return HostError(
        host,
        "unreachable",
        f"no answer within {limit:g} s",
        hint=f"see whether it is up, and whether a firewall is in between: ssh {host} true",
    )
