"""Changes to a route file that is there, whatever made it. Pure.

Text that can't be read is no change's to repair: it comes back as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from lockship.deploy.proxy.route import text_of, upstream_of


def held(text: str) -> str:
    """Return the file with nobody behind its route: the proxy then answers 503 itself.

    Not a file less: without a route it would answer 404, which tells clients and search engines
    that the pages are gone for good.
    """

    def change(http: dict[str, Any]) -> None:
        for service in http["services"].values():
            service["loadBalancer"]["servers"] = []

    return edited(text, change)


def is_held(text: str) -> bool:
    """Whether a file's route leads to nobody."""
    return not upstream_of(text)


def edited(text: str, change: Callable[[dict[str, Any]], None]) -> str:
    """Return the file with its `http` table changed in place."""
    try:
        found = msgspec.json.decode(text)
        change(found["http"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return text
    return text_of(found)


def certificate_files(text: str) -> tuple[str, str] | None:
    """Return the paths, in the proxy's container, of the service's own certificate and its key.

    None where the file names none.
    """
    try:
        found = msgspec.json.decode(text)["tls"]["certificates"][0]
        return str(found["certFile"]), str(found["keyFile"])
    except (ValueError, LookupError, TypeError):
        return None


def middlewares_of(text: str) -> Mapping[str, Any]:
    """Return the file's middlewares by name; none where it can't be read."""
    try:
        found = msgspec.json.decode(text)["http"]["middlewares"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
