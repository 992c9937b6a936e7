"""Changes to a route file that is there, whatever made it: who gets the requests. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from lockship.deploy.proxy.route import upstream_of


def held(text: str) -> str:
    """Return the file with nobody behind its route: the proxy then answers 503 itself.

    Not a file less: without a route it would answer 404, which tells clients and search engines
    that the pages are gone for good. Text that can't be read comes back as it is.
    """
    return _edited(text, _without_servers)


def is_held(text: str) -> bool:
    """Whether a file's route leads to nobody."""
    return not upstream_of(text)


def _without_servers(http: dict[str, Any]) -> None:
    for service in http["services"].values():
        service["loadBalancer"]["servers"] = []


def _edited(text: str, change: Any) -> str:
    try:
        found = msgspec.json.decode(text)
        change(found["http"])
    except (msgspec.MsgspecError, UnicodeEncodeError, KeyError, TypeError, AttributeError):
        return text
    return msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n"
