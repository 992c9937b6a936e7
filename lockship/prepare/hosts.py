"""Hosts as `lockship.toml` writes them: `local`, or `[user@]host[:port]`, IPv6 in brackets."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from msgspec import Struct

from lockship.lock.model import LOCAL
from lockship.lock.names import HostName, Port, UserName

EXPECTED: Final = "'local' or '[user@]host[:port]', an IPv6 address in brackets"
_HOST: Final = re.compile(
    r"(?:(?P<user>[^@]*)@)?(?:\[(?P<v6>[^\[\]]*:[^\[\]]*)\]|(?P<name>[^@:\[\]]+))(?::(?P<port>[0-9]{1,5}))?"
)


class Address(Struct, frozen=True):
    """A host's name, and the login name and port where they are said."""

    name: HostName
    user: UserName | None = None
    port: Port | None = None


def parse(text: str) -> Address:
    """Return what `text` says. Raises ValueError where it isn't a host."""
    found = _HOST.fullmatch(text)
    if found is None:
        raise ValueError(EXPECTED)
    port = found["port"]
    fields = {
        "name": found["v6"] or found["name"],
        "user": found["user"],
        "port": int(port) if port else None,
    }
    address = msgspec.convert(fields, Address)  # its error is a ValueError
    if address.name == LOCAL and (address.user or address.port):
        raise ValueError(EXPECTED)
    return address
