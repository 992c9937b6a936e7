"""SFTP requests that don't wait for one another: one round trip for all of them.

A server answers requests in the order of their arrival (draft-ietf-secsh-filexfer-02, 3.1), and
each answer is looked at: paramiko's own pipelined writes drop them, a full disk's among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from paramiko import sftp as protocol

if TYPE_CHECKING:
    import paramiko

BLOCK: Final = 1 << 15  # bytes that every server takes in one request
Request = tuple[Any, ...]
"""A kind of request, `protocol.CMD_...`, and what goes with it."""


class _Replies:
    """Where paramiko puts the answers to requests that nobody waits for yet."""

    def __init__(self) -> None:
        self.found: dict[int, tuple[int, paramiko.Message]] = {}

    def _async_response(self, kind: int, message: paramiko.Message, number: int) -> None:
        self.found[number] = (kind, message)


def ask(sftp: paramiko.SFTPClient, requests: Sequence[Request]) -> list[Any]:
    """Send all of these and return their answers: a message, or the exception that it means."""
    client: Any = sftp
    replies = _Replies()
    numbers = [client._async_request(replies, *each) for each in requests]
    while len(replies.found) < len(numbers):
        client._read_response()
    return [_told(client, *replies.found[number]) for number in numbers]


def let_go(sftp: paramiko.SFTPClient, handles: Sequence[bytes]) -> None:
    """Close files that were only read; nobody waits for the answer."""
    client: Any = sftp
    for handle in handles:
        client._async_request(type(None), protocol.CMD_CLOSE, handle)


def encoded(path: str) -> bytes:
    """Return a path as it goes over the line."""
    return path.encode(errors="surrogateescape")


def _told(client: Any, kind: int, message: paramiko.Message) -> Any:
    if kind == protocol.CMD_STATUS:
        try:
            client._convert_status(message)
        except (OSError, EOFError) as error:
            return error
    return message
