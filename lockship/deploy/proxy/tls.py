"""TLS in a service's route file: which certificate, and what becomes of plain HTTP. Pure."""

from __future__ import annotations

import posixpath
from typing import Any, Final

from lockship.lock.proxy import Proxy, ProxyTls

PLAIN: Final = "web"
SECURE: Final = "websecure"
RESOLVER: Final = "lockship"  # by which the proxy gets certificates, where it can
FOLDER: Final = "/etc/lockship/certificates"  # in the proxy's container
ACME_FOLDER: Final = "/etc/lockship/acme"
_HTTPS: Final = 443


def router_table(tls: ProxyTls) -> dict[str, Any]:
    """Return what makes a router one for TLS."""
    return {"certResolver": RESOLVER} if tls.acme else {}


def redirect(proxy: Proxy) -> dict[str, Any] | None:
    """Return the middleware that sends a client from HTTP to HTTPS; None where it isn't to."""
    if proxy.tls is None or not proxy.tls.redirect:
        return None
    scheme: dict[str, Any] = {"scheme": "https", "permanent": True}
    port = proxy.server.https_port or _HTTPS
    if port != _HTTPS:
        scheme["port"] = str(port)
    return {"redirectScheme": scheme}


def certificates(proxy: Proxy, project: str, upstream: str) -> dict[str, Any] | None:
    """Return the file's table of certificates; None where the service brings none.

    Their names hold the upstream's, so that a deploy that is taken back finds the former ones
    where they were.
    """
    if proxy.tls is None or proxy.tls.certificate is None:
        return None
    base = posixpath.join(FOLDER, f"{project}-{upstream.partition('.')[0]}")
    return {"certificates": [{"certFile": f"{base}.crt", "keyFile": f"{base}.key"}]}
