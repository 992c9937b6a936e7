"""What a registry's `Retry-After` header says, which an engine doesn't pass on.

A registry that is asked too often often answers so to every question, so its front door is asked
once, by this machine, without an account. What can't be known that way isn't: then lockship waits
as it does without.
"""

from __future__ import annotations

import email.utils
import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from lockship.lock.reference import HUB

CERTIFICATES: Final = Path("/etc/docker/certs.d")
"""Where an engine looks for the authorities of a registry; read here too, if it can be."""
_SECONDS: Final = 5.0
_HUB_SERVER: Final = "registry-1.docker.io"
_BUSY: Final = (429, 503)


def asked_wait(domain: str) -> float | None:
    """Return how many seconds a registry wants to be left alone; None where it doesn't say."""
    server = _HUB_SERVER if domain == HUB else domain
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=_trust(domain)), _NoRedirect
    )
    try:
        # https alone: the address is a registry's, and no file or other scheme is opened.
        with opener.open(f"https://{server}/v2/", timeout=_SECONDS):
            return None
    except urllib.error.HTTPError as answer:
        with answer:
            said = answer.headers.get("Retry-After", "")
            return seconds(said) if answer.code in _BUSY else None
    except (OSError, ValueError, http.client.HTTPException):  # not reached, or no name of one
        return None


def seconds(said: str, now: Callable[[], float] = time.time) -> float | None:
    """Read the header: seconds, or a date (RFC 9110, section 10.2.3)."""
    said = said.strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - now())
    except (ValueError, OverflowError):
        return None


def _trust(domain: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    for path in sorted((CERTIFICATES / domain).glob("*.crt")):
        try:
            context.load_verify_locations(path)
        except (OSError, ssl.SSLError):
            continue  # it is the engine's to complain
    return context


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nothing: only the registry itself is asked."""
