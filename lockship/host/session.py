"""Sessions on an SSH connection, with as few round trips as there can be.

What a session is for is asked right behind the channel, and its first data may follow at once: a
server takes a channel's messages in their order (RFC 4254, 5.2). paramiko waits for the answer to
each. Where the answer is no, sshd closes the channel, which then ends without any output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from paramiko import Message
from paramiko.common import cMSG_CHANNEL_REQUEST

if TYPE_CHECKING:
    import paramiko


def open_session(
    transport: paramiko.Transport, kind: Literal["exec", "subsystem"], what: str
) -> paramiko.Channel:
    """Open a channel to a command, or to a subsystem of sshd's: one round trip."""
    channel = transport.open_session()
    request = Message()
    request.add_byte(cMSG_CHANNEL_REQUEST)
    request.add_int(channel.remote_chanid)
    request.add_string(kind)
    request.add_boolean(True)
    request.add_string(what)
    sender: Any = transport
    sender._send_user_message(request)
    return channel
